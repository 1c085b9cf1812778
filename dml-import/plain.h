/* Tables of the plain kind, as most are: one small query tells all that is asked of them. */
#ifndef DML_IMPORT_PLAIN_H
#define DML_IMPORT_PLAIN_H

#include "target.h"

/* What target_describe() fills in, if the table is one; else false, and nothing was.  Its
 * columns, key and kind fit the batch then: only t->hooked is left to be asked about. */
bool plain_describe(PGconn *conn, struct target *t, const struct target_arrays *a);

#endif
