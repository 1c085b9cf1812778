#include "own_schema.h"

/* $1 the table, $2 whether something is to be made. */
static const char look_sql[] =
	"WITH held AS ("
	"    SELECT n.nspowner AS owner, NULL AS name FROM pg_catalog.pg_namespace AS n"
	"     WHERE n.nspname = 'dml'"
	"    UNION ALL"
	"    SELECT c.relowner, c.relname FROM pg_catalog.pg_class AS c"
	"      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
	"     WHERE n.nspname = 'dml'"
	") "
	"SELECT pg_catalog.pg_is_in_recovery() AS standby,"
	"       EXISTS (SELECT FROM held WHERE held.name = $1) AS has,"
	"       (SELECT pg_catalog.min(o.rolname)"
	"          FROM (SELECT DISTINCT owner FROM held) AS h"
	"          JOIN pg_catalog.pg_roles AS o ON o.oid = h.owner AND NOT o.rolsuper"
	"         WHERE (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r"
	"                 WHERE r.rolname = current_user)"
	"            OR $2::boolean AND NOT pg_catalog.pg_has_role(o.oid, 'USAGE')) AS master";

bool own_schema_has(PGconn *conn, const char *name, enum own_schema_use use)
{
	const char *const values[] = {name, use == OWN_MAKE ? "t" : "f"};
	PGresult *res = pg_query_row(conn, look_sql, 2, values);
	bool has = pg_bool(res, 0, "has");

	if (use != OWN_READ && pg_bool(res, 0, "standby"))
		die(DIE_PERSON, "connect to the primary", "this server is a standby");
	if (!pg_is_null(res, 0, "master"))
		die(DIE_PERSON,
			"connect as that role, or as one that it granted what is needed",
			"role \"%s\" owns schema dml or a table in it: what is done there "
			"would be in its hands",
			pg_text(res, 0, "master"));
	PQclear(res);
	return has;
}
