#include "collation.h"

#include "recollated.sql.h"

#include <stdlib.h>

/* Of the database's own; before PostgreSQL 15 no server knows. */
static bool default_is_stale(PGconn *conn)
{
	PGresult *res;
	bool stale;

	if (PQserverVersion(conn) < 150000)
		return false;
	res = pg_query_row(conn,
		"SELECT (datcollversion <> "
		"pg_catalog.pg_database_collation_actual_version(oid))"
		"       IS TRUE AS stale"
		"  FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()",
		0, NULL);
	stale = pg_bool(res, 0, "stale");
	PQclear(res);
	return stale;
}

static void refuse(
	struct source_tables *tables, struct source_table *t, const PGresult *res, int row)
{
	char *hint = mem_format(
		"first %s, then %s, which vouches for the indexes of all tables; --full "
		"needs none",
		pg_text(res, row, "reindex"), pg_text(res, row, "refresh"));

	source_refuse(tables, t, hint,
		"has a key whose index was sorted by another version of its collation: rows "
		"may not be found by it");
	free(hint);
}

void collation_expect_fresh(PGconn *conn, struct source_tables *tables, const bool *wanted)
{
	const char **oid = mem_zero(tables->count, sizeof *oid);
	struct source_table **table = mem_zero(tables->count, sizeof(struct source_table *));
	size_t count = 0;

	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];

		if (t->refused || !wanted[i] || !t->collated)
			continue;
		oid[count] = t->oid;
		table[count++] = t;
	}
	if (count > 0) {
		char *oids = pg_array(oid, count);
		const char *const values[] = {oids, default_is_stale(conn) ? "true" : "false"};
		PGresult *res = pg_query(conn, recollated_sql, 2, values);

		for (size_t i = 0; i < count; i++)
			if (!pg_is_null(res, (int)i, "refresh"))
				refuse(tables, table[i], res, (int)i);
		PQclear(res);
		free(oids);
	}
	free(table);
	free(oid);
}
