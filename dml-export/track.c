#include "track.h"

#include "rights.h"

#include "ddl.sql.h"
#include "uninstall.sql.h"
#include "unschema.sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char track_begin[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n"
			   "SET LOCAL search_path = '';\n"
			   "SET LOCAL lock_timeout = '10s';\n";
const char track_commit[] = "COMMIT;\n";

PGresult *track_installed(PGconn *conn, const struct source_table *t)
{
	char *name = mem_format("%s.%s", t->name.schema, t->name.table);
	const char *const values[] = {name, t->oid};
	PGresult *res = pg_query(conn, uninstall_sql, 2, values);

	free(name);
	if (PQntuples(res) > 0)
		return res;
	PQclear(res);
	return NULL;
}

enum die_status track_run_or_print(
	PGconn *conn, const struct options *o, const char *script, const char *what)
{
	if (!o->print_sql)
		return pg_script_try(conn, script, what);
	fputs(script, stdout);
	return DIE_DONE;
}

void track_expect_alone(PGconn *conn, const struct options *o)
{
	if (o->print_sql)
		return;

	PGresult *res =
		pg_query_try(conn, "SELECT pg_catalog.pg_advisory_lock(1684892164)", 0, NULL);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		pg_die(conn, res, "another --install or --uninstall is under way");
	PQclear(res);
}

void track_expect_no_strangers(PGconn *conn, const struct options *o)
{
	if (!o->print_sql && own_schema_is_wary(conn))
		rights_to_write(conn, "SELECT FROM dml.tracked");
}

/* Whoever can write to the tables there has ways into what we do; patterns leave them out. */
void track_refuse_reserved(struct source_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];
		const char *schema = t->name.schema;

		if (!t->refused &&
			(strcmp(schema, "dml") == 0 || strncmp(schema, "pg_", 3) == 0 ||
				strcmp(schema, "information_schema") == 0))
			source_refuse(tables, t, "name a table of the application's",
				"is in a schema of the system's or of ours");
	}
}

static uint64_t count_tracked(PGconn *conn)
{
	PGresult *res =
		pg_query_row(conn, "SELECT count(*) AS tables FROM dml.tracked", 0, NULL);
	uint64_t count = pg_number(res, 0, "tables");

	PQclear(res);
	return count;
}

/* A transaction for this table.  With the last one goes what all have in common. */
static enum die_status uninstall(PGconn *conn, const struct options *o,
	const struct source_table *t, const PGresult *old, bool is_last)
{
	struct buf script = {0};
	enum die_status status;

	buf_string(&script, track_begin);
	if (t->base != NULL)
		buf_format(&script, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;\n", t->base);
	buf_format(&script, "%s\n%s\n", pg_text(old, 0, "script"), pg_text(old, 0, "forget"));
	if (is_last)
		buf_string(&script, unschema_sql);
	buf_string(&script, track_commit);
	status = track_run_or_print(conn, o, script.data, t->label);
	if (status == DIE_DONE && !o->print_sql)
		note("%s is tracked no more", t->label);
	buf_free(&script);
	return status;
}

/* That a table isn't tracked is what was asked for; one that isn't even there was mistyped. */
static enum die_status not_tracked(const struct source_table *t)
{
	if (t->oid != NULL) {
		warn("table %s is not tracked", t->label);
		return DIE_DONE;
	}
	complain("see dml-export --status for the tables that are", "table %s is not tracked",
		t->label);
	return DIE_PERSON;
}

/* What is printed may be for somebody else to run. */
static void refuse_others_tables(
	const struct options *o, struct source_tables *tables, PGresult *const *old)
{
	for (size_t i = 0; i < tables->count && !o->print_sql; i++) {
		struct source_table *t = &tables->table[i];

		if (old[i] != NULL && t->oid != NULL && !t->owned)
			source_refuse(tables, t, source_owner_hint, "belongs to another role");
	}
}

static void uninstall_all(PGconn *conn, const struct options *o, struct source_tables *tables)
{
	PGresult **old = mem_zero(tables->count, sizeof(PGresult *));
	uint64_t left = count_tracked(conn);

	/* Asked for first: with the last table goes what could be asked. */
	for (size_t i = 0; i < tables->count; i++)
		old[i] = track_installed(conn, &tables->table[i]);
	refuse_others_tables(o, tables, old);
	for (size_t i = 0; i < tables->count; i++) {
		const struct source_table *t = &tables->table[i];
		enum die_status status = t->refused ? DIE_PERSON
					 : old[i] != NULL
						 ? uninstall(conn, o, t, old[i], left == 1)
						 : not_tracked(t);

		if (old[i] != NULL && status == DIE_DONE)
			left--;
		tables->status = die_worst(tables->status, status);
		PQclear(old[i]);
	}
	free(old);
}

enum die_status track_uninstall(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	struct source_tables tables = {0};

	track_expect_alone(conn, o);
	if (source_installed(conn, OWN_WRITE)) {
		if (!o->print_sql)
			own_schema_expect_owner(conn, "tracked");
		track_expect_no_strangers(conn, o);
		source_resolve(conn, &o->tables, SOURCE_NAME, &tables);
		uninstall_all(conn, o, &tables);
	} else {
		note("nothing is tracked in database \"%s\"", PQdb(conn));
	}
	pg_disconnect(conn);
	opt_close_stdout();
	return tables.status;
}

/* --key is for --install, so the hint is how to say it there. */
static enum die_status no_key(const struct source_table *t, const PGresult *ddl)
{
	bool spare = PQntuples(ddl) == 1 && !pg_is_null(ddl, 0, "spare");
	char *hint = spare ? mem_format("run dml-export --install --key '%s' -t '%s' first",
				     pg_text(ddl, 0, "spare"), t->label)
			   : mem_string("add a primary key");

	complain(hint, "table %s has no %s", t->label,
		spare ? "primary key, and is not tracked by another" : "key");
	free(hint);
	return DIE_PERSON;
}

/* The statement of one table, on standard output. */
static enum die_status print_ddl(PGconn *conn, const struct source_table *t, bool tracked)
{
	PGresult *old = tracked ? track_installed(conn, t) : NULL;
	const char *const values[] = {t->oid, old != NULL ? pg_text(old, 0, "key") : NULL};
	PGresult *res = pg_query_try(conn, ddl_sql, 2, values);
	enum die_status status = DIE_DONE;

	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		if (PQstatus(conn) != CONNECTION_OK)
			pg_die(conn, res, t->label);
		status = pg_complain(conn, res, t->label);
	} else if (PQntuples(res) != 1 || !pg_bool(res, 0, "has_key")) {
		status = no_key(t, res);
	} else {
		fputs(pg_text(res, 0, "ddl"), stdout);
	}
	PQclear(res);
	PQclear(old);
	return status;
}

enum die_status track_target_ddl(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	bool tracked = source_installed(conn, OWN_READ);
	struct source_tables tables;

	source_resolve(conn, &o->tables, SOURCE_BASE, &tables);
	track_refuse_reserved(&tables);
	for (size_t i = 0; i < tables.count; i++)
		if (!tables.table[i].refused)
			tables.status = die_worst(
				tables.status, print_ddl(conn, &tables.table[i], tracked));
	pg_disconnect(conn);
	opt_close_stdout();
	return tables.status;
}
