#include "own_schema.h"

bool own_schema_has(PGconn *conn, const char *name)
{
	PGresult *res = pg_query_row(conn,
		"SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c"
		" JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
		" WHERE n.nspname = 'dml' AND c.relname = $1) AS has",
		1, &name);
	bool has = pg_bool(res, 0, "has");

	PQclear(res);
	return has;
}

void own_schema_expect_safe(PGconn *conn, bool making)
{
	const char *const values[] = {making ? "t" : "f"};
	PGresult *res = pg_query(conn,
		"SELECT pg_catalog.min(o.rolname) AS owner"
		"  FROM (SELECT n.nspowner AS oid FROM pg_catalog.pg_namespace AS n"
		"         WHERE n.nspname = 'dml'"
		"        UNION SELECT c.relowner FROM pg_catalog.pg_class AS c"
		"          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
		"         WHERE n.nspname = 'dml') AS w"
		"  JOIN pg_catalog.pg_roles AS o ON o.oid = w.oid AND NOT o.rolsuper"
		" WHERE (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r"
		"         WHERE r.rolname = current_user)"
		"    OR $1::boolean AND NOT pg_catalog.pg_has_role(o.oid, 'USAGE')",
		1, values);

	if (!pg_is_null(res, 0, "owner"))
		die(DIE_PERSON,
			"connect as that role, or as one that it granted what is needed",
			"role \"%s\" owns schema dml or a table in it: what is done there "
			"would be "
			"in its hands",
			pg_text(res, 0, "owner"));
	PQclear(res);
}
