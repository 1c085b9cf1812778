#include "lock.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";

/* What the run will write, after the tables, as an --uninstall takes them: from here on nobody
 * puts a trigger there, and the snapshot sees whose are there. */
static const char lock_state[] = "LOCK TABLE dml.tracking, dml.history IN ROW EXCLUSIVE MODE;";

/* Base and shadow, for LOCK TABLE. */
static void add_table(struct buf *sql, const struct source_table *t)
{
	buf_format(sql, "%s%s, %s", t->partitioned ? "" : "ONLY ", t->base, t->shadow);
}

static char *lock_one(const struct source_table *t, const char *how)
{
	struct buf sql = {0};

	buf_string(&sql, "LOCK TABLE ");
	add_table(&sql, t);
	buf_format(&sql, " IN ACCESS SHARE MODE%s", how);
	return sql.data;
}

static bool is_gone(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	return state != NULL && (strcmp(state, "42P01") == 0 || strcmp(state, "3F000") == 0);
}

/* True if the lock was got; dies where the connection is lost.  Somebody else may have it, or
 * have dropped or renamed the table since it was found by its name; or the server has no room
 * for so many locks. */
static bool got_lock(PGconn *conn, const PGresult *res)
{
	if (PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK)
		return true;
	if (PQstatus(conn) != CONNECTION_OK)
		pg_die(conn, res, NULL);
	return false;
}

/* The next run sees what has become of one that is gone. */
static void refuse(struct run *run, struct source_table *t, const PGresult *res)
{
	enum die_status status = DIE_AGAIN;

	if (is_gone(res))
		complain("run it again",
			"table %s or its schema was dropped or renamed just now", t->label);
	else
		status = pg_complain(run->conn, res, t->label);
	run->status = die_worst(run->status, status);
	t->refused = true;
}

/* All in one round trip.  False if that took too long: the transaction is over then. */
static bool lock_together(const struct run *run, const char *then)
{
	struct buf sql = {0};
	size_t locked = 0;
	PGresult *res;
	bool done;

	buf_format(&sql, "%s;" LOCK_PATIENCE, begin);
	for (size_t i = 0; i < run->tables.count; i++) {
		const struct source_table *t = &run->tables.table[i];

		if (t->refused)
			continue;
		buf_string(&sql, locked++ > 0 ? ", " : "LOCK TABLE ");
		add_table(&sql, t);
	}
	if (locked > 0)
		buf_string(&sql, " IN ACCESS SHARE MODE;");
	buf_format(&sql, "%s" LOCK_PATIENCE_REST "%s", lock_state, then);
	res = PQexec(run->conn, sql.data);
	done = got_lock(run->conn, res);
	PQclear(res);
	buf_free(&sql);
	if (!done)
		pg_exec(run->conn, "ROLLBACK", "ROLLBACK");
	return done;
}

/* One by one, each under a savepoint, and for a second: those that are not locked, or not for
 * long, must not go without because of the one that is. */
static void lock_in_turn(struct run *run)
{
	pg_exec(run->conn, begin, "BEGIN");
	pg_script(run->conn, "SET LOCAL lock_timeout = '1s'");
	for (size_t i = 0; i < run->tables.count; i++) {
		struct source_table *t = &run->tables.table[i];
		PGresult *res;
		char *sql;

		if (t->refused)
			continue;
		sql = lock_one(t, "");
		pg_exec(run->conn, "SAVEPOINT lock", "SAVEPOINT");
		res = PQexec(run->conn, sql);
		if (!got_lock(run->conn, res)) {
			refuse(run, t, res);
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
	pg_script(run->conn, LOCK_PATIENCE_REST);
	pg_script(run->conn, lock_state);
	pg_script(run->conn, then);
}

bool lock_at_once(PGconn *conn, const struct source_table *t)
{
	char *sql = lock_one(t, " NOWAIT");
	PGresult *res = PQexec(conn, sql);
	bool locked = got_lock(conn, res);

	if (!locked && !is_gone(res) && !pg_lock_unavailable(res))
		pg_die(conn, res, t->label);
	PQclear(res);
	free(sql);
	return locked;
}
