#include "target.h"

#include "command.h"
#include "made.h"
#include "own_schema.h"
#include "plain.h"
#include "shape.h"
#include "strangers.h"

#include "hooks.sql.h"
#include "lock.sql.h"
#include "problems.sql.h"
#include "target.sql.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char find_sql[] =
	"SELECT c.oid, c.relkind IN ('r', 'p') AS fit, " OWN_SCHEMA_WARY " AS superuser"
	"  FROM pg_catalog.pg_class AS c"
	"  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
	" WHERE n.nspname = $1 AND c.relname = $2";

void target_find(PGconn *conn, const struct name *name, struct target *t)
{
	const char *const values[] = {name->schema, name->table};
	struct buf label = {0};
	PGresult *res;

	name_to_sql(&label, name);
	*t = (struct target){.label = label.data,
		.name = {.schema = mem_string(name->schema), .table = mem_string(name->table)}};
	res = pg_query(conn, find_sql, 2, values);
	if (PQntuples(res) != 1)
		die(DIE_PERSON, "create it from what dml-export --target-ddl prints",
			"there is no table %s in database \"%s\"", t->label, PQdb(conn));
	if (!pg_bool(res, 0, "fit"))
		die(DIE_PERSON, "name another with -t",
			"%s is no ordinary or partitioned table", t->label);
	t->oid = mem_string(pg_text(res, 0, "oid"));
	t->superuser = pg_bool(res, 0, "superuser");
	PQclear(res);
}

bool target_is_elsewhere(PGconn *conn, const struct target *t, const struct manifest *m)
{
	PGresult *res;
	bool same;

	if (!name_equal(&t->name, &m->table))
		return true;
	res = pg_query_row(conn,
		"SELECT c.system_identifier AS system, pg_catalog.current_database() AS name"
		"  FROM pg_catalog.pg_control_system() AS c",
		0, NULL);
	same = strcmp(pg_text(res, 0, "system"), m->source.system) == 0 &&
	       strcmp(pg_text(res, 0, "name"), m->source.database) == 0;
	PQclear(res);
	if (same)
		complain("name the target's database with -d; if this is a copy of the "
			 "source's cluster, take it with --accept-source",
			"table %s is the one that batch %" PRIu64 " was read from", t->label,
			m->number);
	return !same;
}

void target_expect_no_strangers(PGconn *conn, const struct target *t)
{
	const char *const oids[] = {t->oid};
	char *tables, *what;

	if (!t->superuser)
		return;
	tables = pg_array(oids, 1);
	what = mem_format("table %s", t->label);
	strangers_expect_none(
		conn, tables, what, "connect as the table's owner, or say --as-superuser");
	free(tables);
	free(what);
}

/* Dropped or renamed, before we had the lock; or its schema was. */
static bool is_gone(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		return PQntuples(res) != 1 || !pg_bool(res, 0, "still");
	return state != NULL && (strcmp(state, "42P01") == 0 || strcmp(state, "3F000") == 0);
}

void target_die_gone(const struct target *t)
{
	die(DIE_AGAIN, "run it again", "table %s or its schema was dropped or renamed just now",
		t->label);
}

void target_lock(PGconn *conn, const struct target *t, const char *mode)
{
	const char *const values[] = {t->name.schema, t->name.table, t->oid, mode};
	PGresult *res = pg_query_row(conn, lock_sql, 4, values);
	PGresult *done = PQexec(conn, pg_text(res, 0, "sql"));

	if (is_gone(done))
		target_die_gone(t);
	if (PQresultStatus(done) != PGRES_TUPLES_OK)
		pg_die(conn, done, t->label);
	PQclear(done);
	PQclear(res);
}

static void gather(
	struct target_arrays *a, const struct manifest *m, const struct columns *columns)
{
	const char **names = mem_zero(columns->count, sizeof *names);
	const char **types = mem_zero(columns->count, sizeof *types);

	for (size_t i = 0; i < columns->count; i++) {
		names[i] = columns->column[i].name;
		types[i] = columns->column[i].type;
	}
	a->names = pg_array(names, columns->count);
	a->types = pg_array(types, columns->count);
	a->key = pg_array((const char *const *)m->key, m->keys);
	a->columns = columns->count;
	a->keys = m->keys;
	free(names);
	free(types);
}

static void release(struct target_arrays *a)
{
	free(a->names);
	free(a->types);
	free(a->key);
}

/* Tells each reason why the table can't take the batch; true if there is none. */
static bool tell(const struct target *t, const struct manifest *m, const PGresult *res)
{
	for (int row = 0; row < PQntuples(res); row++)
		complain(pg_text(res, row, "hint"), "table %s can't take batch %llu: %s",
			t->label, (unsigned long long)m->number, pg_text(res, row, "problem"));
	return PQntuples(res) == 0;
}

static bool look_for_problems(PGconn *conn, const struct target *t, const struct manifest *m,
	const struct columns *columns, bool changed, char **doubt)
{
	struct columns shapes;
	struct target_arrays there, here;

	gather(&there, m, columns);
	shape_load(conn, t->oid, there.names, t->label, &shapes);
	gather(&here, m, &shapes);

	char *full = command_full(m);
	const char *const values[] = {t->oid, there.names, there.types, there.key, here.names,
		here.types, changed ? "true" : "false", manifest_scope_name(m->scope), full};
	PGresult *res = pg_query_of(conn, problems_sql, 9, values, t->label);
	bool fits = tell(t, m, res);

	for (int row = 0; row < PQntuples(res); row++)
		if (!pg_is_null(res, row, "doubt"))
			mem_replace(doubt, pg_text(res, row, "doubt"));
	PQclear(res);
	free(full);
	release(&there);
	release(&here);
	columns_free(&shapes);
	return fits;
}

static bool look_for_hooks(PGconn *conn, const struct target *t, const struct manifest *m)
{
	const char *const values[] = {t->oid};
	PGresult *res = pg_query_of(conn, hooks_sql, 1, values, t->label);
	bool fits = tell(t, m, res);

	PQclear(res);
	return fits;
}

/* Has the table, or a composite type, a column that was dropped?  A dump leaves its number out,
 * and what was made in its place has the old one once that is restored. */
static bool has_dropped(PGconn *conn, const struct target *t)
{
	const char *const values[] = {t->oid};
	PGresult *res = pg_query_row(conn,
		"SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a"
		"  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid"
		" WHERE a.attisdropped AND (c.oid = $1::oid OR c.relkind = 'c')) AS dropped",
		1, values);
	bool dropped = pg_bool(res, 0, "dropped");

	PQclear(res);
	return dropped;
}

bool target_fits(PGconn *conn, const struct target *t, const struct manifest *m,
	const struct columns *columns, bool changed, char **doubt)
{
	bool fits;

	*doubt = NULL;
	fits = t->plain || look_for_problems(conn, t, m, columns, changed, doubt);
	fits = (!t->hooked || look_for_hooks(conn, t, m)) && fits;
	if (changed && *doubt == NULL && has_dropped(conn, t))
		*doubt = mem_string("changed");
	return fits;
}

/* Any table. */
static void describe(PGconn *conn, struct target *t, const struct target_arrays *a)
{
	const char *const values[] = {t->oid, a->key, a->names};
	PGresult *res = pg_query_of(conn, target_sql, 3, values, t->label);

	if (PQntuples(res) != 1)
		target_die_gone(t);
	mem_replace(&t->relation, pg_text(res, 0, "relation"));
	mem_replace(&t->only, pg_text(res, 0, "only"));
	t->bare = pg_bool(res, 0, "bare");
	t->hooked = pg_bool(res, 0, "hooked");
	mem_replace(&t->list, pg_text(res, 0, "list"));
	mem_replace(&t->definitions, pg_text(res, 0, "definitions"));
	mem_replace(&t->condition, pg_text(res, 0, "condition"));
	hash_of(pg_text(res, 0, "columns"), strlen(pg_text(res, 0, "columns")), t->digest);
	if (pg_bool(res, 0, "made"))
		t->parts = made_load(conn, t->oid, a->names);
	PQclear(res);
}

void target_describe(
	PGconn *conn, struct target *t, const struct manifest *m, const struct columns *columns)
{
	struct target_arrays a;

	free(t->parts);
	t->parts = NULL;
	gather(&a, m, columns);
	t->plain = plain_describe(conn, t, &a);
	if (!t->plain)
		describe(conn, t, &a);
	release(&a);
}

char *target_columns(const struct target *t)
{
	return t->parts != NULL ? mem_format("%s %s", t->digest, t->parts)
				: mem_string(t->digest);
}

bool target_is_as(const struct target *t, const char *columns)
{
	size_t len = strlen(t->digest);

	if (strncmp(columns, t->digest, len) != 0)
		return false;
	return columns[len] == '\0' || t->parts == NULL ||
	       made_has_all(columns + len + 1, t->parts);
}

void target_free(struct target *t)
{
	name_free(&t->name);
	free(t->parts);
	free(t->label);
	free(t->oid);
	free(t->relation);
	free(t->only);
	free(t->list);
	free(t->definitions);
	free(t->condition);
	*t = (struct target){0};
}
