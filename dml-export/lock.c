#include "lock.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";

/* Base and shadow, for LOCK TABLE. */
static void add_table(struct buf *sql, const struct source_table *t)
{
	buf_format(sql, "%s%s, %s", t->partitioned ? "" : "ONLY ", t->base, t->shadow);
}

static char *lock_now(const struct source_table *t)
{
	struct buf sql = {0};

	buf_string(&sql, "LOCK TABLE ");
	add_table(&sql, t);
	buf_string(&sql, " IN ACCESS SHARE MODE NOWAIT");
	return sql.data;
}

/* True if the lock was got, false if somebody else has it.  A table that was found by its name
 * a moment ago may not be there now: the next run sees which and what became of it. */
static bool is_locked(PGconn *conn, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	if (state != NULL && strcmp(state, "55P03") == 0)
		return false;
	if (state != NULL && (strcmp(state, "42P01") == 0 || strcmp(state, "3F000") == 0))
		die(DIE_AGAIN, "run it again",
			"a table or its schema was dropped or renamed just now");
	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
		pg_die(conn, res, NULL);
	return true;
}

/* All in one round trip.  False if that took too long: the transaction is over then. */
static bool lock_together(const struct run *run, const char *then)
{
	struct buf sql = {0};
	size_t locked = 0;
	PGresult *res;
	bool done;

	buf_format(&sql, "%s; SET LOCAL lock_timeout = '10s';", begin);
	for (size_t i = 0; i < run->tables.count; i++) {
		const struct source_table *t = &run->tables.table[i];

		if (t->refused)
			continue;
		buf_string(&sql, locked++ > 0 ? ", " : "LOCK TABLE ");
		add_table(&sql, t);
	}
	if (locked > 0)
		buf_string(&sql, " IN ACCESS SHARE MODE;");
	buf_format(&sql, "SET LOCAL lock_timeout = 0; %s", then);
	res = PQexec(run->conn, sql.data);
	done = is_locked(run->conn, res);
	PQclear(res);
	buf_free(&sql);
	if (!done)
		pg_exec(run->conn, "ROLLBACK", "ROLLBACK");
	return done;
}

/* One by one, each under a savepoint, without waiting. */
static void lock_in_turn(struct run *run)
{
	pg_exec(run->conn, begin, "BEGIN");
	for (size_t i = 0; i < run->tables.count; i++) {
		struct source_table *t = &run->tables.table[i];
		PGresult *res;
		char *sql;

		if (t->refused)
			continue;
		sql = lock_now(t);
		pg_exec(run->conn, "SAVEPOINT lock", "SAVEPOINT");
		res = PQexec(run->conn, sql);
		if (!is_locked(run->conn, res)) {
			run->status =
				die_worst(run->status, pg_complain(run->conn, res, t->label));
			t->refused = true;
			pg_exec(run->conn, "ROLLBACK TO SAVEPOINT lock", "ROLLBACK");
		}
		pg_exec(run->conn, "RELEASE SAVEPOINT lock", "RELEASE");
		PQclear(res);
		free(sql);
	}
}

void lock_tables(struct run *run, const char *then)
{
	if (lock_together(run, then))
		return;
	lock_in_turn(run);
	pg_script(run->conn, then);
}

void lock_at_once(PGconn *conn, const struct source_table *t)
{
	char *sql = lock_now(t);

	pg_run(conn, sql, t->label);
	free(sql);
}
