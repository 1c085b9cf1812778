#include "install.h"

#include "describe.h"
#include "purge.h"
#include "track.h"

#include "install.sql.h"
#include "purge.sql.h"
#include "renew_purge.sql.h"
#include "revoke.sql.h"
#include "schema.sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `made`: the schema is there; `told`: its making stands in what was printed before. */
struct schema {
	bool made;
	bool told;
};

/* The statements that track one table, without the transaction around them; NULL without such a
 * key.  `old`: what goes before. */
static PGresult *plan_install(PGconn *conn, const struct source_table *t, const char *key,
	const char *kind, const PGresult *old)
{
	char version[16];
	const char *const values[] = {t->oid, key, kind, version,
		old != NULL ? pg_text(old, 0, "shadow") : NULL,
		old != NULL && !pg_is_null(old, 0, "acl") ? pg_text(old, 0, "acl") : NULL};
	PGresult *res;

	snprintf(version, sizeof version, "%d", TRACK_VERSION);
	res = pg_query(conn, install_sql, 6, values);
	if (PQntuples(res) == 1)
		return res;
	PQclear(res);
	return NULL;
}

static enum die_status no_key(const struct options *o, const struct source_table *t)
{
	if (o->key != NULL)
		complain("name the columns of a unique index over NOT NULL columns",
			"table %s has no unique, not-null index on the columns of --key",
			t->label);
	else
		complain("add a primary key, or name a unique, not-null index's columns with "
			 "--key",
			"table %s has no key", t->label);
	return DIE_PERSON;
}

/* Of the triggers.  A foreign table that inherits ends all UPDATE and DELETE where they run
 * once for each statement: a table from which others inherit may get one any day. */
static const char *best_kind(const struct source_table *t)
{
	return t->row_kind || t->heirs ? "row" : "statement";
}

/* Row triggers miss nothing, whatever became of the heirs.  Statement triggers do as long as no
 * foreign table has come, which describe_is_intact() knows. */
static bool is_good_kind(const struct source_table *t, const char *kind)
{
	return strcmp(kind, "row") == 0 || !t->row_kind;
}

/* True if nothing has to be done: the same key, a good kind, all in place.  `locked` as in
 * describe_is_intact(). */
static bool up_to_date(PGconn *conn, const struct options *o, const struct source_table *t,
	const PGresult *old, bool *locked)
{
	if (old == NULL || !is_good_kind(t, pg_text(old, 0, "kind")))
		return false;
	if (o->key != NULL) {
		const char *const values[] = {o->key, pg_text(old, 0, "key")};
		PGresult *res = pg_query_row(conn,
			"SELECT $1::text[] @> $2::text[] AND $1::text[] <@ $2::text[] AS same",
			2, values);
		bool same = pg_bool(res, 0, "same");

		PQclear(res);
		if (!same)
			return false;
	}
	return describe_is_intact(conn, t, locked);
}

/* The lock holds back writers until all triggers stand: whoever began before them has ended by
 * then. */
static char *lock(const struct source_table *t, bool drops)
{
	return mem_format("%sLOCK TABLE %s IN %s MODE;\n", track_begin, t->base,
		drops ? "ACCESS EXCLUSIVE" : "SHARE ROW EXCLUSIVE");
}

/* What was there goes first, so that its shadow table's name is free; the tracking state stays,
 * and the new shadow table makes each target's next batch a full one. */
static void add_body(struct buf *script, const struct source_table *t, bool with_schema,
	const char *stray, const PGresult *old, const PGresult *plan)
{
	if (with_schema)
		buf_format(script, "%s%s", schema_sql, purge_sql);
	buf_string(script, stray);
	if (old != NULL)
		buf_format(script, "%s\n", pg_text(old, 0, "script"));
	/* A table of that name was dropped, and this is another. */
	if (old != NULL && strcmp(pg_text(old, 0, "base"), t->oid) != 0)
		buf_format(script, "%s\n", pg_text(old, 0, "forget"));
	buf_format(script, "%s\n%s%s\n", pg_text(plan, 0, "script"), revoke_sql,
		pg_text(plan, 0, "grants"));
	buf_string(script, track_commit);
}

/* While the lock was waited for, another table may have taken the name, or the table another
 * owner: then nothing that was planned is right. */
static enum die_status expect_still(
	PGconn *conn, const struct source_table *t, const PGresult *plan)
{
	PGresult *res = pg_query_try(conn, pg_text(plan, 0, "still"), 0, NULL);
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	bool changed = state != NULL && strcmp(state, "40001") == 0;

	if (!changed && PQresultStatus(res) != PGRES_COMMAND_OK)
		pg_die(conn, res, t->label);
	PQclear(res);
	if (!changed)
		return DIE_DONE;
	complain("run it again", "table %s was changed just now", t->label);
	pg_exec(conn, "ROLLBACK", "ROLLBACK");
	return DIE_AGAIN;
}

static enum die_status run_plan(PGconn *conn, const struct options *o,
	const struct schema *schema, const struct source_table *t, const char *begin,
	const PGresult *plan, const char *body)
{
	enum die_status status;

	if (o->print_sql) {
		printf("%s%s\n%s", begin, pg_text(plan, 0, "still"), body);
		return DIE_DONE;
	}
	status = pg_script_try(conn, begin, t->label);
	if (status == DIE_DONE)
		status = expect_still(conn, t, plan);
	if (status == DIE_DONE && schema->made)
		track_expect_no_strangers(conn, o);
	return status == DIE_DONE ? pg_script_try(conn, body, t->label) : status;
}

/* All is in place; but somebody may have been given the right to execute a trigger's function.
 */
static enum die_status close_functions(PGconn *conn, const struct options *o,
	const struct source_table *t, const PGresult *own)
{
	struct buf script = {0};
	enum die_status status;

	if (pg_is_null(own, 0, "revoke")) {
		note("%s is tracked already", t->label);
		return DIE_DONE;
	}
	buf_format(&script, "%s%s%s", track_begin, pg_text(own, 0, "revoke"), track_commit);
	status = track_run_or_print(conn, o, script.data, t->label);
	if (status == DIE_DONE && !o->print_sql)
		note("%s: others could execute its triggers' functions, and no longer can",
			t->label);
	buf_free(&script);
	return status;
}

/* A partition's own triggers have the names of those that come with its table's.  $1 the table,
 * $2 the tables of this call. */
static const char collision_sql[] =
	"SELECT (SELECT pg_catalog.min(p.relid::text)"
	"          FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) AS p"
	"          JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = p.relid AND g.tgparentid = 0"
	"           AND g.tgname IN ('dml_insert', 'dml_update', 'dml_delete', "
	"'dml_update_key')"
	"         WHERE p.level > 0) AS partition,"
	"       EXISTS (SELECT"
	"          FROM pg_catalog.pg_partition_ancestors($1::oid::pg_catalog.regclass) AS a"
	"         WHERE a.relid <> $1::oid AND a.relid = ANY ($2::oid[])) AS goes_along";

/* Says which of two tables is to be left out, if a partition and its table would both be
 * tracked. */
static void tell_collision(
	const PGresult *res, struct source_tables *tables, struct source_table *t)
{
	const char *partition = pg_text(res, 0, "partition");

	if (*partition != '\0') {
		char *hint = source_command(tables->pg, "--uninstall", partition);
		char *wrong =
			mem_format("has a partition that is tracked by itself: %s", partition);

		source_refuse(tables, t, hint, wrong);
		free(wrong);
		free(hint);
	} else if (pg_bool(res, 0, "goes_along")) {
		source_refuse(tables, t, "name the partitioned table only",
			"is a partition that is tracked with its table");
	}
}

/* True, with a message, if a partition and its table would both be tracked; or, with `locked`
 * set, if somebody keeps a partition locked, so that it can't be told. */
static bool collides(
	PGconn *conn, struct source_tables *tables, struct source_table *t, bool *locked)
{
	char *oids = source_oids(tables);
	const char *const values[] = {t->oid, oids};
	PGresult *res = pg_query_try(conn, collision_sql, 2, values);

	*locked = pg_lock_unavailable(res);
	if (!*locked && PQresultStatus(res) != PGRES_TUPLES_OK)
		pg_die(conn, res, t->label);
	if (!*locked)
		tell_collision(res, tables, t);
	PQclear(res);
	free(oids);
	return t->refused || *locked;
}

static enum die_status not_now(const struct source_table *t)
{
	complain("run it again when the lock is free",
		"table %s, or what belongs to it, is locked by somebody else", t->label);
	return DIE_NOT_NOW;
}

/* `own`: what was there of this table, `old`: or of one of its name that was dropped. */
static void tell(const struct source_table *t, const PGresult *own, const PGresult *old)
{
	if (own == NULL)
		note("%s is tracked now", t->label);
	else if (pg_number(own, 0, "version") != TRACK_VERSION)
		note("%s was brought up to date", t->label);
	else
		note("%s is tracked anew", t->label);
	if (t->heirs && !t->partitioned)
		warn("%s: rows of the tables that inherit from it are not exported with it",
			t->label);
	if (old != NULL && !pg_is_null(old, 0, "targets"))
		warn("%s was installed anew: the next batch is full for %s", t->label,
			pg_text(old, 0, "targets"));
}

static enum die_status install(PGconn *conn, const struct options *o, struct schema *schema,
	struct source_tables *tables, struct source_table *t)
{
	const char *kind = best_kind(t);
	struct source_table dropped = {.name = t->name};
	PGresult *own = schema->made ? track_installed(conn, t) : NULL;
	PGresult *old = schema->made && own == NULL ? track_installed(conn, &dropped) : own;
	const char *key = o->key != NULL ? o->key : own != NULL ? pg_text(own, 0, "key") : NULL;
	char *stray = own == NULL ? track_stray(conn, t) : mem_string("");
	enum die_status status;
	PGresult *plan = NULL;
	bool locked = false;

	if (up_to_date(conn, o, t, own, &locked)) {
		status = close_functions(conn, o, t, own);
	} else if (locked || collides(conn, tables, t, &locked)) {
		status = locked ? not_now(t) : DIE_PERSON;
	} else if ((plan = plan_install(conn, t, key, kind, old)) == NULL &&
		   (o->key != NULL ||
			   (plan = plan_install(conn, t, NULL, kind, old)) == NULL)) {
		status = no_key(o, t);
	} else {
		char *begin = lock(t, old != NULL || *stray != '\0');
		struct buf body = {0};

		add_body(&body, t, !schema->made && !schema->told, stray, old, plan);
		status = run_plan(conn, o, schema, t, begin, plan, body.data);
		if (status == DIE_DONE && !o->print_sql)
			tell(t, own, old);
		schema->made |= status == DIE_DONE && !o->print_sql;
		schema->told |= o->print_sql;
		buf_free(&body);
		free(begin);
	}
	free(stray);
	PQclear(plan);
	PQclear(old);
	return status;
}

/* An older --install made another dml.purge(), or somebody gave it away or took its settings;
 * who may call it stays. */
static enum die_status renew_purge(PGconn *conn, const struct options *o)
{
	enum die_status status;
	PGresult *res;
	char *script;

	if (purge_is_made(conn))
		return DIE_DONE;
	res = pg_query_row(conn, renew_purge_sql, 0, NULL);
	if (pg_bool(res, 0, "stays"))
		script = mem_format("%s%s%s", track_begin, purge_sql, track_commit);
	else
		script = mem_format("%s%s%s%s%s%s", track_begin, pg_text(res, 0, "before"),
			purge_sql, revoke_sql, pg_text(res, 0, "after"), track_commit);
	status = track_run_or_print(conn, o, script, "dml.purge");
	if (status == DIE_DONE && !o->print_sql)
		note("dml.purge() was brought up to date");
	free(script);
	PQclear(res);
	return status;
}

enum die_status install_run(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	struct schema schema = {0};
	struct source_tables tables;

	track_expect_alone(conn, o);
	if (!o->print_sql) /* what is printed may be for somebody else to run */
		own_schema_expect_owner(conn, "tracked");
	schema.made = source_installed(conn, OWN_MAKE);
	if (schema.made)
		track_expect_no_strangers(conn, o);
	source_resolve(conn, o, SOURCE_OWNED, &tables);
	track_refuse_names(&tables);
	if (schema.made)
		tables.status = die_worst(tables.status, renew_purge(conn, o));
	for (size_t i = 0; i < tables.count; i++)
		if (!tables.table[i].refused)
			tables.status = die_worst(tables.status,
				install(conn, o, &schema, &tables, &tables.table[i]));
	pg_disconnect(conn);
	opt_close_stdout();
	return tables.status;
}
