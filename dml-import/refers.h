/* Foreign keys between the table and another, which may be imported later. */
#ifndef DML_IMPORT_REFERS_H
#define DML_IMPORT_REFERS_H

#include "target.h"

/*
 * The other table, as SQL writes it, that lacks what a foreign key of the table's own, or of a
 * partition's, refers to, or that still refers to what is gone; the caller frees it.  NULL if
 * the error `res` is of another kind.  It may roll back the transaction, which has failed, and
 * begin another.
 */
char *refers_lacking(PGconn *conn, const struct target *t, const PGresult *res);

#endif
