/* Collations that sort otherwise than they did, as after an upgrade of the operating system. */
#ifndef DML_EXPORT_COLLATION_H
#define DML_EXPORT_COLLATION_H

#include "source.h"

/* Of the tables that are `wanted`, refuses those with a key whose index may not find all that
 * is there.  After describe_closer(). */
void collation_expect_fresh(PGconn *conn, struct source_tables *tables, const bool *wanted);

#endif
