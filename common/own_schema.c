#include "own_schema.h"

#include "master.sql.h"

/*
 * From the catalogue, which everybody may read: to_regclass() asks for USAGE on the schema.
 * Most often there is nobody else, and what roles could become need not be asked, which a short
 * run would feel.
 */
static const char look_sql[] =
	"SELECT pg_catalog.pg_is_in_recovery() AS standby,"
	"       pg_catalog.bool_or(c.relname = $1) IS TRUE AS has,"
	"       pg_catalog.bool_or(pg_catalog.pg_get_userbyid(n.nspowner) <> CURRENT_USER"
	"           OR pg_catalog.pg_get_userbyid(c.relowner) <> CURRENT_USER)"
	"           IS TRUE AS others"
	"  FROM pg_catalog.pg_namespace AS n"
	"  LEFT JOIN pg_catalog.pg_class AS c"
	"    ON c.relnamespace = n.oid AND c.relname IN ('tracked', 'tracking', 'history',"
	"       'batch_number', 'ledger', 'retired', 'applied')"
	" WHERE n.nspname = 'dml'";

static const char wary_sql[] = "SELECT " OWN_SCHEMA_WARY " AS wary";

static void expect_no_master(PGconn *conn, enum own_schema_use use)
{
	const char *const values[] = {use == OWN_MAKE ? "t" : "f"};
	PGresult *res = pg_query_row(conn, master_sql, 1, values);

	if (!pg_is_null(res, 0, "master"))
		die(DIE_PERSON,
			use == OWN_MAKE
				? "connect as that role, with -U, or as a member of it"
				: "connect as that role, with -U; to export or import, one "
				  "that it granted what the manual page lists under "
				  "PRIVILEGES will do",
			"role \"%s\" owns schema dml or a table in it: what is done there "
			"would be in its hands",
			pg_text(res, 0, "master"));
	PQclear(res);
}

bool own_schema_is_wary(PGconn *conn)
{
	PGresult *res = pg_query_row(conn, wary_sql, 0, NULL);
	bool wary = pg_bool(res, 0, "wary");

	PQclear(res);
	return wary;
}

bool own_schema_has(PGconn *conn, const char *name, enum own_schema_use use)
{
	PGresult *res = pg_query_row(conn, look_sql, 1, &name);
	bool has = pg_bool(res, 0, "has");
	bool others = pg_bool(res, 0, "others");

	if (use != OWN_READ && pg_bool(res, 0, "standby"))
		die(DIE_PERSON, "connect to the primary", "this server is a standby");
	PQclear(res);
	if (others && (use == OWN_MAKE || own_schema_is_wary(conn)))
		expect_no_master(conn, use);
	return has;
}

static const char owner_sql[] =
	"SELECT pg_catalog.pg_get_userbyid(COALESCE(c.relowner, n.nspowner)) AS owner,"
	"       c.oid IS NULL AS absent"
	"  FROM pg_catalog.pg_namespace AS n"
	"  LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = $1"
	" WHERE n.nspname = 'dml'"
	"   AND NOT CASE WHEN c.oid IS NULL THEN "
	"                pg_catalog.has_schema_privilege(n.oid, 'CREATE')"
	"                ELSE pg_catalog.pg_has_role(c.relowner, 'USAGE') END";

void own_schema_expect_owner(PGconn *conn, const char *name)
{
	PGresult *res = pg_query(conn, owner_sql, 1, &name);

	if (PQntuples(res) > 0)
		die(DIE_PERSON, "connect as that role, with -U, or as a member of it",
			"%s%s belongs to role \"%s\": others install and uninstall nothing "
			"there",
			pg_bool(res, 0, "absent") ? "schema dml" : "dml.",
			pg_bool(res, 0, "absent") ? "" : name, pg_text(res, 0, "owner"));
	PQclear(res);
}
