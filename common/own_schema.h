/* Schema dml, where both programs keep their state. */
#ifndef DML_OWN_SCHEMA_H
#define DML_OWN_SCHEMA_H

#include "pg.h"

/* True if schema dml holds the table `name`. */
bool own_schema_has(PGconn *conn, const char *name);

/*
 * Dies if schema dml or a table in it belongs to a role that could make use of us: triggers and
 * defaults there run with our rights.  A superuser may trust superusers only; whoever makes
 * something there (`making`), superusers and its own roles.
 */
void own_schema_expect_safe(PGconn *conn, bool making);

#endif
