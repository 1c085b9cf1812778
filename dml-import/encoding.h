/* The encoding that is spoken with the server: names and rows are in that of their source. */
#ifndef DML_IMPORT_ENCODING_H
#define DML_IMPORT_ENCODING_H

#include "pg.h"
#include "spool.h"

/* What the name of a table's directory is in, as the first manifest that can be read says; the
 * caller frees it.  NULL if none can: the name is taken to be in the database's. */
char *encoding_of(const struct spool_dir *table, const struct spool_list *list);

/* Speaks the encoding, or for NULL the database's own.  False, and nothing has changed, if the
 * server can't convert from it; dies of anything else. */
bool encoding_try(PGconn *conn, const char *encoding);

/* The same, but dies with DIE_PERSON where encoding_try() answers false. */
void encoding_set(PGconn *conn, const char *encoding);

/* A name that is in the encoding now spoken, in another one; the caller frees it.  Dies with
 * DIE_PERSON if that has not all of its characters. */
char *encoding_convert(PGconn *conn, const char *name, const char *encoding);

#endif
