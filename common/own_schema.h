/* Schema dml, where both programs keep their state. */
#ifndef DML_OWN_SCHEMA_H
#define DML_OWN_SCHEMA_H

#include "pg.h"

/* The keys of our advisory locks, as SQL: the bytes "dml" and a digit.  The first three are the
 * class of a key of two parts. */
#define OWN_LOCK_CHAIN "1684892160" /* a chain that is exported */
#define OWN_LOCK_PURGE                                                                         \
	"1684892161" /* shadow rows: to purge or, shared, to keep them; see purge.sql */
#define OWN_LOCK_TARGET "1684892162"  /* a table that is written */
#define OWN_LOCK_LEDGER "1684892163"  /* the ledger that is made or dropped */
#define OWN_LOCK_INSTALL "1684892164" /* an --install or --uninstall */

enum own_schema_use { OWN_READ, OWN_WRITE, OWN_MAKE };

/*
 * True if schema dml holds the table `name`.
 *
 * Dies if the schema or a table in it belongs to a role that could make use of us: triggers,
 * defaults and views there run with our rights.  A role that is a superuser, or can
 * become one, trusts only such roles; one that makes something there trusts these and the roles
 * that it belongs to.
 * Whoever writes needs a primary.
 */
bool own_schema_has(PGconn *conn, const char *name, enum own_schema_use use);

/* SQL: true if the session's user is a superuser or can become one, whatever role acts now, and
 * so can code that runs for him: as a member, or by what he may write or run on the server's
 * machine. */
#define OWN_SCHEMA_WARY                                                                        \
	"EXISTS (SELECT FROM pg_catalog.pg_roles AS su"                                        \
	"         WHERE (su.rolsuper OR su.rolname IN ('pg_write_server_files',"               \
	"                                              'pg_execute_server_program'))"          \
	"           AND pg_catalog.pg_has_role(SESSION_USER, su.oid, 'MEMBER'))"

/* True if the session's user is a superuser or can become one: whose code runs matters then. */
bool own_schema_is_wary(PGconn *conn);

/* Dies unless the role can make or drop what is in the schema: it has the rights of the owner
 * of the table `name` or, where that isn't there, may create it in a schema that is. */
void own_schema_expect_owner(PGconn *conn, const char *name);

#endif
