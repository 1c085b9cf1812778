/* What made types were made of when rows were written: composites and enums can be changed
 * under their values, which no column shows. */
#ifndef DML_IMPORT_MADE_H
#define DML_IMPORT_MADE_H

#include "pg.h"

#include <stdbool.h>

/* The parts of the types of those columns of a table, an array of the server's, as text; the
 * caller frees it.  Each in hexadecimal digits: plain ASCII, whatever encoding is spoken.
 * `names`: an array, too. */
char *made_load(PGconn *conn, const char *oid, const char *names);

/* True if all of these parts are among those. */
bool made_has_all(const char *parts, const char *of);

#endif
