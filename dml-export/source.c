#include "source.h"

#include "match.h"

#include "resolve.sql.h"
#include "tracked.sql.h"

#include <stdlib.h>
#include <string.h>

const char source_install_hint[] = "run dml-export --install";
const char source_logged_hint[] = "ALTER TABLE … SET LOGGED";
static const char uninstall_hint[] = "run dml-export --uninstall";
const char source_owner_hint[] = "connect as its owner: triggers are the owner's";

bool source_installed(PGconn *conn, enum own_schema_use use)
{
	return own_schema_has(conn, "tracked", use);
}

char *source_command(const struct pg_options *pg, const char *call, const char *table)
{
	struct buf b = {0};

	buf_string(&b, "run dml-export");
	opt_add_connection(&b, pg);
	buf_format(&b, " %s", call);
	opt_add_option(&b, "-t", table);
	return b.data;
}

void source_expect_installed(PGconn *conn, const struct options *o, enum own_schema_use use)
{
	char *hint;

	if (source_installed(conn, use))
		return;
	hint = source_command(&o->pg, "--install -t TABLE", NULL);
	die(DIE_PERSON, hint, "nothing is tracked in database \"%s\"", PQdb(conn));
}

/* The one with the table's name in it; the caller frees it. */
static char *complete(
	const char *hint, const struct pg_options *pg, const struct source_table *t)
{
	if (hint == source_install_hint)
		return source_command(pg, "--install", t->label);
	if (hint == uninstall_hint)
		return source_command(pg, "--uninstall", t->label);
	if (hint == source_logged_hint)
		return mem_format("ALTER TABLE %s SET LOGGED", t->label);
	return mem_string(hint);
}

void source_refuse(struct source_tables *tables, struct source_table *t, const char *hint,
	const char *wrong)
{
	char *completed = complete(hint, tables->pg, t);

	complain(completed, "table %s %s", t->label, wrong);
	free(completed);
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

/* A partitioned table stays unlogged, and an unlogged sequence is no table all the same. */
static const char *kind_hint(const PGresult *res, int row)
{
	if (*pg_text(res, row, "relkind") == 'r' && *pg_text(res, row, "relpersistence") == 'u')
		return source_logged_hint;
	return "name an ordinary or a partitioned table";
}

static void take_shadow(struct source_table *t, const PGresult *res, int row)
{
	t->tracked = pg_bool(res, row, "tracked");
	t->readable = pg_bool(res, row, "readable");
	t->shadow_readable = pg_bool(res, row, "shadow_readable");
	t->given_away = pg_bool(res, row, "given_away");
	if (!pg_is_null(res, row, "shadow"))
		t->shadow = mem_string(pg_text(res, row, "shadow"));
}

/* True if a table of that name was dropped without --uninstall. */
static bool was_tracked(PGconn *conn, const struct name *name)
{
	char *record = mem_format("%s.%s", name->schema, name->table);
	const char *const values[] = {record};
	PGresult *res = pg_query_row(conn,
		"SELECT EXISTS (SELECT FROM dml.tracked AS t WHERE t.name = $1"
		" AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = t.base))"
		" AS was",
		1, values);
	bool was = pg_bool(res, 0, "was");

	PQclear(res);
	free(record);
	return was;
}

static void judge(PGconn *conn, struct source_tables *tables, struct source_table *t,
	const PGresult *res, int row, enum source_need need)
{
	bool exists = !pg_is_null(res, row, "oid");

	if (need == SOURCE_NAME && !exists)
		return; /* the caller knows what to do without */
	if (need == SOURCE_TRACKED && !exists && was_tracked(conn, &t->name)) {
		source_refuse(tables, t, uninstall_hint, "was dropped, and is tracked still");
	} else if (!pg_bool(res, row, "has_schema")) {
		source_refuse(tables, t, "compare the name with psql's \\dn",
			"is in no schema of this database");
	} else if (!exists) {
		source_refuse(tables, t, "compare the name with psql's \\d", "does not exist");
	} else if (need != SOURCE_NAME && wrong_kind(res, row) != NULL) {
		source_refuse(tables, t, kind_hint(res, row), wrong_kind(res, row));
	} else if (need == SOURCE_OWNED && pg_bool(res, row, "goes_along")) {
		source_refuse(tables, t, "name the partitioned table",
			"is a partition that is tracked with its table");
	} else if (need == SOURCE_OWNED && !pg_bool(res, row, "owned")) {
		source_refuse(tables, t, source_owner_hint, "belongs to another role");
	} else {
		t->oid = mem_string(pg_text(res, row, "oid"));
		t->base = mem_string(pg_text(res, row, "base"));
		t->partitioned = *pg_text(res, row, "relkind") == 'p';
		if (need == SOURCE_TRACKED) {
			take_shadow(t, res, row);
			return;
		}
		t->owned = pg_bool(res, row, "owned");
		t->row_kind = t->partitioned || pg_bool(res, row, "inherits");
		t->heirs = pg_bool(res, row, "has_heirs");
	}
}

static void add_copy(struct opt_names *names, const struct name *name)
{
	struct name copy = {
		.schema = mem_string(name->schema), .table = mem_string(name->table)};

	opt_add_name(names, &copy);
}

/* The names given and those that patterns match, each once, become the tables. */
static void list_tables(PGconn *conn, const struct options *o, enum source_need need,
	struct source_tables *tables)
{
	const struct opt_names *given = &o->tables;
	bool untracked = need == SOURCE_BASE || need == SOURCE_OWNED;
	struct opt_names all = {0};

	*tables = (struct source_tables){.pg = &o->pg};
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

void source_resolve(PGconn *conn, const struct options *o, enum source_need need,
	struct source_tables *tables)
{
	list_tables(conn, o, need, tables);

	const char **schemas = mem_zero(tables->count, sizeof *schemas);
	const char **relations = mem_zero(tables->count, sizeof *relations);

	for (size_t i = 0; i < tables->count; i++) {
		schemas[i] = tables->table[i].name.schema;
		relations[i] = tables->table[i].name.table;
	}

	char *schema_array = pg_array(schemas, tables->count);
	char *relation_array = pg_array(relations, tables->count);
	const char *const values[] = {schema_array, relation_array};
	const char *sql = need == SOURCE_TRACKED ? tracked_sql : resolve_sql;
	PGresult *res = pg_query(conn, sql, 2, values);

	for (int row = 0; row < PQntuples(res); row++)
		judge(conn, tables, &tables->table[row], res, row, need);
	PQclear(res);
	free(schema_array);
	free(relation_array);
	free(schemas);
	free(relations);
}

void source_expect_tracked(struct source_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];

		if (!t->refused && !t->tracked)
			source_refuse(tables, t, source_install_hint, "is not tracked");
	}
}

const char source_given_away[] = "has a shadow table with another owner than dml.tracked has";

static void refuse_unreadable_shadow(struct source_tables *tables, struct source_table *t)
{
	char *wrong = mem_format("has a shadow table that can't be read: %s", t->shadow);

	source_refuse(tables, t, "grant SELECT on that to this role", wrong);
	free(wrong);
}

void source_expect_shadows(struct source_tables *tables)
{
	source_expect_tracked(tables);
	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];

		if (t->refused)
			continue;
		if (t->shadow == NULL)
			source_refuse(
				tables, t, source_install_hint, "has lost its shadow table");
		else if (!t->readable)
			source_refuse(tables, t,
				"grant SELECT on it, and USAGE on its schema, to this role",
				"can't be read");
		else if (!t->shadow_readable && t->given_away)
			source_refuse(tables, t, source_install_hint, source_given_away);
		else if (!t->shadow_readable)
			refuse_unreadable_shadow(tables, t);
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
