#include "indexes.h"

#include "buf.h"

#include "indexes.sql.h"

#include <stdlib.h>

enum { ROWS_WORTH_IT = 10000 };

/* True if nobody else uses the table; then nobody will until the transaction ends. */
static bool is_free(PGconn *conn, const struct target *t)
{
	char *sql = mem_format(
		"LOCK TABLE %s%s IN ACCESS EXCLUSIVE MODE NOWAIT", t->only, t->relation);
	PGresult *res;
	bool got;

	pg_exec(conn, "SAVEPOINT dml_indexes", "SAVEPOINT");
	res = PQexec(conn, sql);
	got = PQresultStatus(res) == PGRES_COMMAND_OK;
	if (!got && !pg_lock_unavailable(res))
		pg_die(conn, res, t->label);
	PQclear(res);
	free(sql);
	if (!got)
		pg_exec(conn, "ROLLBACK TO SAVEPOINT dml_indexes", "ROLLBACK");
	pg_exec(conn, "RELEASE SAVEPOINT dml_indexes", "RELEASE");
	return got;
}

void indexes_drop(
	PGconn *conn, const struct target *t, uint64_t rows, bool alone, struct indexes *x)
{
	const char *const values[] = {t->oid};
	PGresult *res;

	*x = (struct indexes){0};
	if (rows < ROWS_WORTH_IT)
		return;
	res = pg_query_of(conn, indexes_sql, 1, values, t->label);
	if (PQntuples(res) > 0 && !alone && !is_free(conn, t)) {
		note("%s: somebody reads it, so its indexes stay while it is filled", t->label);
		PQclear(res);
		return;
	}
	for (int row = 0; row < PQntuples(res); row++) {
		x->create = mem_resize(x->create, x->count + 1, sizeof *x->create);
		x->create[x->count++] = mem_string(pg_text(res, row, "create"));
		pg_run(conn, pg_text(res, row, "drop"), t->label);
	}
	PQclear(res);
}

void indexes_make(PGconn *conn, const struct target *t, struct indexes *x)
{
	for (size_t i = 0; i < x->count; i++)
		pg_run(conn, x->create[i], t->label);
	indexes_free(x);
}

void indexes_free(struct indexes *x)
{
	for (size_t i = 0; i < x->count; i++)
		free(x->create[i]);
	free(x->create);
	*x = (struct indexes){0};
}
