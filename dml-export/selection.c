#include "selection.h"

#include "shape.h"

#include "columns.sql.h"
#include "plain.sql.h"

#include <stdlib.h>

static void add_column(const PGresult *res, int row, struct buf *list, struct buf *base_list)
{
	buf_separate(list, ", ");
	buf_separate(base_list, ", ");
	buf_string(list, pg_text(res, row, "quoted"));
	buf_format(base_list, "b.%s", pg_text(res, row, "quoted"));
}

/* The row that holds a column of the key, by its place there, from 1 on. */
static int row_of_key(const PGresult *res, size_t place)
{
	for (int row = 0; row < PQntuples(res); row++)
		if (!pg_is_null(res, row, "key") && pg_number(res, row, "key") == place)
			return row;
	die(DIE_AGAIN, "run it again", "a column of a key was dropped just now");
}

static void make_plain(const PGresult *res, size_t keys, struct selection *s)
{
	struct buf list = {0}, base_list = {0}, key = {0}, base_key = {0}, condition = {0};

	for (int row = 0; row < PQntuples(res); row++) {
		columns_add(&s->columns, pg_text(res, row, "name"), pg_text(res, row, "type"));
		add_column(res, row, &list, &base_list);
	}
	for (size_t i = 1; i <= keys; i++) {
		int row = row_of_key(res, i);
		const char *collation = pg_text(res, row, "collation");

		buf_separate(&key, ", ");
		buf_separate(&base_key, ", ");
		buf_separate(&condition, " AND ");
		buf_format(&key, "key%zu", i);
		buf_format(&base_key, "key%zu%s AS key%zu", i, collation, i);
		buf_format(&condition, "b.%s OPERATOR(pg_catalog.=) c.key%zu%s",
			pg_text(res, row, "quoted"), i, collation);
	}
	s->list = list.data;
	s->base_list = base_list.data;
	s->ids = key.data;
	s->base_key = base_key.data;
	s->condition = condition.data;
}

/* False if the table isn't plain; then nothing was made. */
static bool try_plain(
	PGconn *conn, const struct source_table *table, const char *key, struct selection *s)
{
	const char *const values[] = {table->oid, key};
	PGresult *res = pg_query(conn, plain_sql, 2, values);
	bool plain = PQntuples(res) > 0;

	for (int row = 0; row < PQntuples(res); row++)
		plain = plain && pg_bool(res, row, "plain");
	if (plain)
		make_plain(res, table->keys, s);
	PQclear(res);
	return plain;
}

/* Any table. */
static enum die_status make(
	PGconn *conn, const struct source_table *table, const char *key, struct selection *s)
{
	const char *const values[] = {table->oid, key};
	PGresult *res = pg_query(conn, columns_sql, 2, values);

	if (PQntuples(res) == 0 || pg_is_null(res, 0, "condition")) {
		complain("make a unique index over the key with the types' own operators",
			"table %s has lost the index of its key", table->label);
		PQclear(res);
		return DIE_PERSON;
	}
	for (int row = 0; row < PQntuples(res); row++)
		columns_add(&s->columns, pg_text(res, row, "name"), pg_text(res, row, "type"));
	if (pg_bool(res, 0, "made"))
		shape_add(conn, table->oid, &s->columns);
	s->list = mem_string(pg_text(res, 0, "columns"));
	s->base_list = mem_string(pg_text(res, 0, "columns_of_base"));
	s->ids = mem_string(pg_text(res, 0, "ids"));
	s->base_key = mem_string(pg_text(res, 0, "key_of_base"));
	s->condition = mem_string(pg_text(res, 0, "condition"));
	PQclear(res);
	return DIE_DONE;
}

enum die_status selection_make(
	PGconn *conn, const struct source_table *table, struct selection *selection)
{
	char *key = pg_array((const char *const *)table->key, table->keys);
	enum die_status status = DIE_DONE;

	*selection = (struct selection){0};
	if (table->types || !try_plain(conn, table, key, selection))
		status = make(conn, table, key, selection);
	free(key);
	return status;
}

void selection_free(struct selection *selection)
{
	columns_free(&selection->columns);
	free(selection->list);
	free(selection->base_list);
	free(selection->ids);
	free(selection->base_key);
	free(selection->condition);
	*selection = (struct selection){0};
}
