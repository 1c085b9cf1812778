#include "plain.h"

#include "plain.sql.h"

#include <string.h>

/* The row that holds a column of the key, by its place there, from 1 on; -1 if none does. */
static int row_of_key(const PGresult *res, size_t place)
{
	for (int row = 0; row < PQntuples(res); row++)
		if (!pg_is_null(res, row, "key") && pg_number(res, row, "key") == place)
			return row;
	return -1;
}

/* Each column that was sent has its row, and each of the key is one of them. */
static bool is_plain(const PGresult *res, const struct target_arrays *a)
{
	if (PQntuples(res) == 0 || (size_t)PQntuples(res) != a->columns)
		return false;
	for (size_t place = 1; place <= a->keys; place++)
		if (row_of_key(res, place) < 0)
			return false;
	return true;
}

/* The list of columns, and the digest of their places and types. */
static void take_columns(struct target *t, const PGresult *res)
{
	struct buf list = {0}, places = {0};

	for (int row = 0; row < PQntuples(res); row++) {
		const char *quoted = pg_text(res, row, "quoted");

		buf_separate(&list, ", ");
		buf_separate(&places, ",");
		buf_string(&list, quoted);
		buf_format(&places, "%s %s %s", quoted, pg_text(res, row, "number"),
			pg_text(res, row, "type"));
	}
	hash_of(places.data, places.len, t->digest);
	mem_replace(&t->list, list.data);
	buf_free(&list);
	buf_free(&places);
}

static void take_key(struct target *t, const PGresult *res, size_t keys)
{
	struct buf definitions = {0}, condition = {0};

	for (size_t place = 1; place <= keys; place++) {
		int row = row_of_key(res, place);

		buf_separate(&definitions, ", ");
		buf_separate(&condition, " AND ");
		buf_format(&definitions, "key%zu %s", place, pg_text(res, row, "type"));
		buf_format(&condition, "t.%s OPERATOR(pg_catalog.=) c.key%zu%s",
			pg_text(res, row, "quoted"), place, pg_text(res, row, "collation"));
	}
	mem_replace(&t->definitions, definitions.data);
	mem_replace(&t->condition, condition.data);
	buf_free(&definitions);
	buf_free(&condition);
}

bool plain_describe(PGconn *conn, struct target *t, const struct target_arrays *a)
{
	const char *const values[] = {t->oid, a->names, a->types, a->key};
	PGresult *res = pg_query(conn, plain_sql, 4, values);
	bool plain = is_plain(res, a);

	if (plain) {
		mem_replace(&t->relation, pg_text(res, 0, "relation"));
		mem_replace(&t->only, "ONLY ");
		t->bare = pg_bool(res, 0, "bare");
		t->hooked = pg_bool(res, 0, "hooked");
		take_columns(t, res);
		take_key(t, res, a->keys);
	}
	PQclear(res);
	return plain;
}
