#include "rights.h"

#include "strangers.h"

#include "readers.sql.h"

#include <time.h>

/* "computed": false of most tables, which spares them the long query.  "owned": whoever may put
 * something on the table is himself a superuser. */
static const char computed_sql[] =
	"SELECT (SELECT pg_catalog.bool_and(r.rolsuper)"
	"          FROM pg_catalog.pg_class AS c"
	"          JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner"
	"         WHERE c.oid = $1::oid AND c.relkind <> 'p') IS TRUE AS owned,"
	"       EXISTS (SELECT FROM pg_catalog.pg_class AS c"
	"                WHERE c.oid = $1::oid AND c.relkind = 'p')"
	"    OR EXISTS (SELECT FROM pg_catalog.pg_index AS x"
	"                WHERE x.indrelid = $1::oid"
	"                  AND (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL"
	"                       OR 12000 <= ANY (x.indclass::oid[])))"
	"    OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext AS e"
	"                WHERE e.stxrelid = $1::oid) AS computed";

struct look {
	bool owned, computed;
};

/* If the server refuses to say: what that calls for, after a message. */
static enum die_status look(PGconn *conn, const struct source_table *t, struct look *l)
{
	const char *const values[] = {t->oid};
	PGresult *res = pg_query_try(conn, computed_sql, 1, values);
	enum die_status status = DIE_DONE;

	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		*l = (struct look){.owned = pg_bool(res, 0, "owned"),
			.computed = pg_bool(res, 0, "computed")};
	else
		status = pg_complain(conn, res, t->label);
	PQclear(res);
	return status;
}

/* One that was idle for long may have been forgotten on the way. */
static PGconn *aside(struct rights *rights)
{
	enum { LONG = 60 };
	time_t now = time(NULL);

	if (rights->aside != NULL && (now < rights->asked || now - rights->asked > LONG ||
					     PQstatus(rights->aside) != CONNECTION_OK)) {
		PQfinish(rights->aside);
		rights->aside = NULL;
	}
	if (rights->aside == NULL)
		rights->aside = pg_connect_aside(rights->options);
	rights->asked = now;
	return rights->aside;
}

void rights_free(struct rights *rights)
{
	PQfinish(rights->aside);
	rights->aside = NULL;
}

/* Those of the foreign keys between them are ours. */
static const char hooked_sql[] =
	"SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger AS g"
	"                 JOIN (VALUES ('dml.tracked'::pg_catalog.regclass::oid),"
	"                              ('dml.tracking'::pg_catalog.regclass),"
	"                              ('dml.history'::pg_catalog.regclass)) AS t (oid)"
	"                   ON g.tgrelid = t.oid"
	"                WHERE NOT g.tgisinternal"
	"                   OR g.tgconstrrelid NOT IN ('dml.tracked'::pg_catalog.regclass,"
	"                                              'dml.tracking'::pg_catalog.regclass,"
	"                                              'dml.history'::pg_catalog.regclass))"
	" AS hooked";

void rights_to_write(PGconn *conn, const char *sql)
{
	/* Parsing takes the locks that writing takes, and asks for no right; LOCK TABLE would
	 * ask for more than INSERT. */
	PGresult *res = PQprepare(conn, "", sql, 0, NULL);

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		pg_die(conn, res, "the state of exports");
	PQclear(res);
	res = pg_query_row(conn, hooked_sql, 0, NULL);
	if (pg_bool(res, 0, "hooked"))
		strangers_expect_none(conn, "{dml.tracked,dml.tracking,dml.history}",
			"the state of exports",
			"drop it, and see who was granted TRIGGER or REFERENCES on the tables "
			"of schema dml");
	PQclear(res);
}

enum die_status rights_to_read(
	PGconn *conn, struct rights *rights, const struct source_table *t)
{
	const char *const values[] = {t->oid};
	struct look l = {0};
	enum die_status status = look(conn, t, &l);
	PGresult *res;

	if (status == DIE_DONE && !l.owned) {
		conn = aside(rights);
		status = look(conn, t, &l);
	}
	if (status != DIE_DONE || !l.computed)
		return status;
	res = pg_query_try(conn, readers_sql, 1, values);
	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		status = pg_complain(conn, res, t->label);
	} else if (PQntuples(res) > 0) {
		complain("connect as the table's owner, with -U, or as a role that was granted "
			 "what the manual page lists under PRIVILEGES",
			"a superuser's rights would be in the hands of role \"%s\": table %s "
			"is read with the help of %s, which is that role's",
			pg_text(res, 0, "role"), t->label, pg_text(res, 0, "object"));
		status = DIE_PERSON;
	}
	PQclear(res);
	return status;
}
