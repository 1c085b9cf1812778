#include "purge.h"

#include "buf.h"
#include "lock.h"
#include "own_schema.h"
#include "source.h"

#include "purge.sql.h"
#include "purge_made.sql.h"

#include <stdlib.h>
#include <string.h>

/* One question, in the one round trip that letting go takes anyway. */
static bool let_go_and_ask(PGconn *conn, const char *oids)
{
	const char *const values[] = {purge_sql, oids};
	char *sql = mem_format(
		"SELECT p.made,"
		" (SELECT pg_catalog.count(pg_catalog.pg_advisory_unlock_shared(" OWN_LOCK_PURGE
		", t.oid::integer))"
		"    FROM pg_catalog.unnest($2::oid[]) AS t (oid)) AS released"
		"  FROM (%s) AS p",
		purge_made_sql);
	PGresult *res = pg_query_row(conn, sql, 2, values);
	bool made = pg_bool(res, 0, "made");

	PQclear(res);
	free(sql);
	return made;
}

bool purge_is_made(PGconn *conn)
{
	return let_go_and_ask(conn, "{}");
}

bool purge_allow(PGconn *conn, const struct pg_options *pg, const char *oids, const char *label)
{
	char *hint;

	if (let_go_and_ask(conn, oids))
		return true;
	hint = source_command(pg, "--install", label);
	complain(hint,
		"nothing was purged, for dml.purge() isn't as this version makes it: its body, "
		"its owner or its settings are others");
	free(hint);
	return false;
}

/* What a function says is never printed, so dml.purge() has SQLSTATEs of its own. */
static const struct {
	const char *state;
	const char *by; /* and a table follows */
	const char *hint;
} refusals[] = {
	{"DML01", "a trigger on",
		"drop it, and see who was granted TRIGGER on the tables of schema dml; "
		"harmless is one without arguments and WHEN, whose function belongs to "
		"dml.purge()'s owner or to a superuser"},
	{"DML02", "a foreign key onto",
		"drop it, and see who was granted REFERENCES on the tables of schema dml"},
	{"DML03", "what its owner made of",
		"run dml-export --install for its table, which makes it anew"},
};

static enum die_status tell(PGconn *conn, const PGresult *res, const char *label)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *table = PQresultErrorField(res, PG_DIAG_TABLE_NAME);
	char *what = mem_format("purge of %s", label);
	enum die_status status = DIE_PERSON;
	size_t i = 0, count = sizeof refusals / sizeof *refusals;

	while (i < count && (state == NULL || strcmp(state, refusals[i].state) != 0))
		i++;
	if (i < count && table != NULL)
		complain(refusals[i].hint,
			"%s: not done, for others' code would run with the rights of "
			"dml.purge(), by %s %s",
			what, refusals[i].by, table);
	else
		status = pg_complain(conn, res, what);
	free(what);
	return status;
}

/* One that a crash undoes is done again by the next: it waits for no disk. */
enum die_status purge_table(PGconn *conn, const char *oid, const char *label)
{
	char *sql = mem_format("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;" LOCK_PATIENCE
			       "SET LOCAL synchronous_commit = off;"
			       "SELECT dml.purge(%s::oid::regclass);"
			       "COMMIT",
		oid);
	PGresult *res = PQexec(conn, sql);
	enum die_status status = DIE_DONE;

	if (pg_lock_unavailable(res))
		status = DIE_NOT_NOW;
	else if (PQresultStatus(res) != PGRES_COMMAND_OK)
		status = tell(conn, res, label);
	if (PQstatus(conn) == CONNECTION_OK && PQtransactionStatus(conn) != PQTRANS_IDLE)
		pg_exec(conn, "ROLLBACK", "ROLLBACK");
	PQclear(res);
	free(sql);
	return status;
}
