/* Schema dml, where both programs keep their state. */
#ifndef DML_OWN_SCHEMA_H
#define DML_OWN_SCHEMA_H

#include "pg.h"

/* True if schema dml holds the table `name`. */
bool own_schema_has(PGconn *conn, const char *name);

/*
 * Dies if we are a superuser and somebody who is none owns schema dml or a table in it:
 * triggers and defaults there would run with our rights.
 */
void own_schema_expect_safe(PGconn *conn);

#endif
