#include "source.h"

#include "match.h"
#include "track.h"

#include "columns.sql.h"
#include "describe.sql.h"
#include "resolve.sql.h"

#include <stdlib.h>
#include <string.h>

/* Completed with the table's name. */
static const char install_hint[] = "run dml-export --install -t";

bool source_installed(PGconn *conn, enum own_schema_use use)
{
	return own_schema_has(conn, "tracked", use);
}

void source_expect_installed(PGconn *conn)
{
	if (!source_installed(conn, OWN_WRITE))
		die(DIE_PERSON, "run dml-export --install -t TABLE",
			"nothing is tracked in database \"%s\"", PQdb(conn));
}

/* Prints what is wrong and marks the table. */
static void refuse(struct source_tables *tables, struct source_table *t, const char *hint,
	const char *wrong)
{
	char *formatted = NULL;

	if (hint == install_hint)
		hint = formatted = mem_format("%s '%s'", install_hint, t->label);
	complain(hint, "table %s %s", t->label, wrong);
	free(formatted);
	t->refused = true;
	tables->status = die_worst(tables->status, DIE_PERSON);
}

static const char *wrong_kind(const PGresult *res, int row)
{
	switch (*pg_text(res, row, "relkind")) {
	case 'r':
	case 'p':
		break;
	case 'v':
	case 'm':
		return "is a view";
	case 'f':
		return "is a foreign table";
	default:
		return "is no table";
	}
	switch (*pg_text(res, row, "relpersistence")) {
	case 'u':
		return "is unlogged: a crash would empty it without a trace";
	case 't':
		return "is temporary";
	default:
		return NULL;
	}
}

static void judge(struct source_tables *tables, struct source_table *t, const PGresult *res,
	int row, enum source_need need)
{
	if (need == SOURCE_NAME && pg_is_null(res, row, "oid"))
		return; /* the caller knows what to do without */
	if (!pg_bool(res, row, "has_schema")) {
		refuse(tables, t, "compare the name with psql's \\dn",
			"is in no schema of this database");
	} else if (pg_is_null(res, row, "oid")) {
		refuse(tables, t, "compare the name with psql's \\d", "does not exist");
	} else if (need != SOURCE_NAME && wrong_kind(res, row) != NULL) {
		refuse(tables, t, "name an ordinary or a partitioned table",
			wrong_kind(res, row));
	} else if (need == SOURCE_OWNED && pg_bool(res, row, "goes_along")) {
		refuse(tables, t, "name the partitioned table",
			"is a partition that is tracked with its table");
	} else if (need == SOURCE_OWNED && !pg_bool(res, row, "owned")) {
		refuse(tables, t, "connect as its owner: triggers are the owner's",
			"belongs to another role");
	} else {
		t->oid = mem_string(pg_text(res, row, "oid"));
		t->base = mem_string(pg_text(res, row, "base"));
		t->relkind = *pg_text(res, row, "relkind");
		t->row_kind = t->relkind == 'p' || pg_bool(res, row, "subscribed") ||
			      pg_bool(res, row, "inherits");
	}
}

static void add_copy(struct opt_names *names, const struct name *name)
{
	struct name copy = {
		.schema = mem_string(name->schema), .table = mem_string(name->table)};

	opt_add_name(names, &copy);
}

/* The names given and those that patterns match, each once, become the tables. */
static void list_tables(PGconn *conn, const struct opt_names *given, enum source_need need,
	struct source_tables *tables)
{
	bool untracked = need == SOURCE_BASE || need == SOURCE_OWNED;
	struct opt_names all = {0};

	*tables = (struct source_tables){0};
	for (size_t i = 0; i < given->count; i++)
		add_copy(&all, &given->name[i]);
	if (!match_patterns(conn, given, untracked, &all))
		tables->status = DIE_PERSON;
	tables->count = all.count;
	tables->table = mem_zero(all.count, sizeof *tables->table);
	for (size_t i = 0; i < all.count; i++) {
		struct buf label = {0};

		name_to_sql(&label, &all.name[i]);
		tables->table[i].label = label.data;
		tables->table[i].name = all.name[i];
	}
	free(all.name);
}

void source_resolve(PGconn *conn, const struct opt_names *given, enum source_need need,
	struct source_tables *tables)
{
	list_tables(conn, given, need, tables);

	const char **schemas = mem_zero(tables->count, sizeof *schemas);
	const char **relations = mem_zero(tables->count, sizeof *relations);

	for (size_t i = 0; i < tables->count; i++) {
		schemas[i] = tables->table[i].name.schema;
		relations[i] = tables->table[i].name.table;
	}

	char *schema_array = pg_array(schemas, tables->count);
	char *relation_array = pg_array(relations, tables->count);
	const char *const values[] = {schema_array, relation_array};
	PGresult *res = pg_query(conn, resolve_sql, 2, values);

	for (int row = 0; row < PQntuples(res); row++)
		judge(tables, &tables->table[row], res, row, need);
	PQclear(res);
	free(schema_array);
	free(relation_array);
	free(schemas);
	free(relations);
}

void source_expect_tracked(PGconn *conn, struct source_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];
		const char *const values[] = {t->oid};
		PGresult *res;

		if (t->refused)
			continue;
		res = pg_query(conn, "SELECT FROM dml.tracked WHERE base = $1::oid", 1, values);
		if (PQntuples(res) == 0)
			refuse(tables, t, install_hint, "is not tracked");
		PQclear(res);
	}
}

char *source_oids(const struct source_tables *tables)
{
	const char **oid = mem_zero(tables->count, sizeof *oid);
	size_t count = 0;
	char *array;

	for (size_t i = 0; i < tables->count; i++)
		if (!tables->table[i].refused)
			oid[count++] = tables->table[i].oid;
	array = pg_array(oid, count);
	free(oid);
	return array;
}

/* What source_describe() refuses, the cause first that hides the others. */
static void judge_tracking(
	struct source_tables *tables, struct source_table *t, const PGresult *res, int row)
{
	char *wrong = NULL;

	if (!pg_bool(res, row, "tracked")) {
		refuse(tables, t, install_hint, "is not tracked");
	} else if (pg_is_null(res, row, "shadow_oid")) {
		refuse(tables, t, install_hint, "has lost its shadow table");
	} else if (pg_number(res, row, "version") != TRACK_VERSION) {
		refuse(tables, t, install_hint, "is tracked by another version's triggers");
	} else if (!pg_is_null(res, row, "missing")) {
		wrong = mem_format(
			"misses changes: disabled, dropped or not ALWAYS: trigger %s",
			pg_text(res, row, "missing"));
		refuse(tables, t, install_hint, wrong);
	} else if (!pg_bool(res, row, "durable")) {
		refuse(tables, t, "ALTER TABLE … SET LOGGED", "is unlogged now");
	} else if (!pg_bool(res, row, "has_key")) {
		refuse(tables, t, install_hint,
			"has lost its key: a column was dropped, renamed or may be NULL now, "
			"or the "
			"unique index is gone");
	} else if (strcmp(pg_text(res, row, "kind"), "row") != 0 &&
		   (pg_bool(res, row, "subscribed") || pg_bool(res, row, "inherits"))) {
		refuse(tables, t, install_hint,
			"is written by logical replication or through a parent, which fires no "
			"statement triggers");
	} else if (!pg_is_null(res, row, "bad_partition")) {
		wrong = mem_format("has a partition that is unlogged or foreign: %s",
			pg_text(res, row, "bad_partition"));
		refuse(tables, t, "detach it, or make it an ordinary one", wrong);
	} else if (!pg_bool(res, row, "readable")) {
		refuse(tables, t, "grant SELECT on it to this role", "can't be read");
	} else if (pg_bool(res, row, "filtered")) {
		refuse(tables, t, "connect as its owner or as a role with BYPASSRLS",
			"has row security that would hide rows from this role");
	} else if (pg_is_null(res, row, "columns")) {
		refuse(tables, t, "name a table with columns", "has no column to export");
	}
	free(wrong);
}

bool source_is_intact(PGconn *conn, const struct source_table *table)
{
	const char *const oid[] = {table->oid};
	char *array = pg_array(oid, 1);
	const char *const values[] = {array};
	PGresult *res = pg_query_row(conn, describe_sql, 1, values);
	bool intact = pg_bool(res, 0, "tracked") && !pg_is_null(res, 0, "shadow_oid") &&
		      pg_number(res, 0, "version") == TRACK_VERSION &&
		      pg_is_null(res, 0, "missing") && pg_bool(res, 0, "has_key");

	PQclear(res);
	free(array);
	return intact;
}

static void take_description(struct source_table *t, const PGresult *res, int row)
{
	struct buf label = {0};

	/* The second time, the lock that we have is on the name, and the oid must be its. */
	if (t->shadow != NULL && strcmp(t->base, pg_text(res, row, "base")) != 0)
		die(DIE_AGAIN, "run it again", "table %s was renamed just now", t->label);
	mem_replace(&t->name.schema, pg_text(res, row, "schema"));
	mem_replace(&t->name.table, pg_text(res, row, "name"));
	name_to_sql(&label, &t->name);
	free(t->label);
	t->label = label.data;
	mem_replace(&t->base, pg_text(res, row, "base"));
	mem_replace(&t->shadow, pg_text(res, row, "shadow"));
	mem_replace(&t->kind, pg_text(res, row, "kind"));
	mem_replace(&t->columns, pg_text(res, row, "columns"));
	mem_replace(&t->triggers, pg_text(res, row, "triggers"));
	free(t->lineage_end);
	t->lineage_end = mem_format("%s/%s", t->oid, pg_text(res, row, "shadow_oid"));
	pg_array_free(t->key, t->keys);
	t->key = pg_array_parse(pg_text(res, row, "key"), &t->keys);
	t->partitioned = pg_bool(res, row, "partitioned");
	t->pages = pg_number(res, row, "pages");
}

void source_describe(PGconn *conn, struct source_tables *tables)
{
	const char **oids = mem_zero(tables->count, sizeof *oids);
	size_t *which = mem_zero(tables->count, sizeof *which);
	size_t count = 0;

	for (size_t i = 0; i < tables->count; i++) {
		if (!tables->table[i].refused) {
			which[count] = i;
			oids[count++] = tables->table[i].oid;
		}
	}

	char *array = pg_array(oids, count);
	const char *const values[] = {array};
	PGresult *res = pg_query(conn, describe_sql, 1, values);

	if ((size_t)PQntuples(res) != count)
		die(DIE_AGAIN, "run it again", "a table was dropped just now");
	for (size_t i = 0; i < count; i++) {
		struct source_table *t = &tables->table[which[i]];

		judge_tracking(tables, t, res, (int)i);
		if (!t->refused)
			take_description(t, res, (int)i);
	}
	PQclear(res);
	free(array);
	free(which);
	free(oids);
}

void source_copy(PGconn *conn, const struct source_table *table, struct source_copy *copy)
{
	char *key = pg_array((const char *const *)table->key, table->keys);
	const char *const values[] = {table->oid, key};
	PGresult *res = pg_query(conn, columns_sql, 2, values);

	*copy = (struct source_copy){0};
	if (PQntuples(res) == 0 || pg_is_null(res, 0, "condition"))
		die(DIE_PERSON, "run dml-export --install for it again",
			"table %s has lost the index of its key", table->label);
	for (int row = 0; row < PQntuples(res); row++)
		columns_add(
			&copy->columns, pg_text(res, row, "name"), pg_text(res, row, "type"));
	copy->list = mem_string(pg_text(res, 0, "columns"));
	copy->base_list = mem_string(pg_text(res, 0, "columns_of_base"));
	copy->key = mem_string(pg_text(res, 0, "key"));
	copy->base_key = mem_string(pg_text(res, 0, "key_of_base"));
	copy->condition = mem_string(pg_text(res, 0, "condition"));
	PQclear(res);
	free(key);
}

void source_copy_free(struct source_copy *copy)
{
	columns_free(&copy->columns);
	free(copy->list);
	free(copy->base_list);
	free(copy->key);
	free(copy->base_key);
	free(copy->condition);
	*copy = (struct source_copy){0};
}
