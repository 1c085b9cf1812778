#include "indexes.h"

#include "buf.h"

#include "indexes.sql.h"

#include <stdlib.h>

enum { ROWS_WORTH_IT = 10000 };

void indexes_drop(PGconn *conn, const struct target *t, uint64_t rows, struct indexes *x)
{
	const char *const values[] = {t->oid};
	PGresult *res;

	*x = (struct indexes){0};
	if (rows < ROWS_WORTH_IT)
		return;
	res = pg_query(conn, indexes_sql, 1, values);
	for (int row = 0; row < PQntuples(res); row++) {
		x->create = mem_resize(x->create, x->count + 1, sizeof *x->create);
		x->create[x->count++] = mem_string(pg_text(res, row, "create"));
		pg_run(conn, pg_text(res, row, "drop"), t->label);
	}
	PQclear(res);
}

void indexes_make(PGconn *conn, const struct target *t, struct indexes *x)
{
	for (size_t i = 0; i < x->count; i++) {
		pg_run(conn, x->create[i], t->label);
		free(x->create[i]);
	}
	free(x->create);
	*x = (struct indexes){0};
}
