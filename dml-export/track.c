#include "track.h"

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

enum die_status track_no_key(const struct options *o, const struct source_table *t)
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

void track_expect_alone(PGconn *conn, const struct options *o)
{
	if (o->print_sql)
		return;
	pg_exec(conn, "SET lock_timeout = '10s'", "SET");

	PGresult *res =
		pg_query_try(conn, "SELECT pg_catalog.pg_advisory_lock(1684892164)", 0, NULL);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		pg_die(conn, res, "another --install or --uninstall is under way");
	PQclear(res);
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

/* True if only these `count` tables are tracked. */
static bool are_all(PGconn *conn, size_t count)
{
	PGresult *res =
		pg_query_row(conn, "SELECT count(*) AS tables FROM dml.tracked", 0, NULL);
	bool all = pg_number(res, 0, "tables") == count;

	PQclear(res);
	return all;
}

/* All tables in one transaction, for only together they may be the last. */
enum die_status track_uninstall(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	struct buf script = {0};
	struct source_tables tables;
	size_t found = 0;

	track_expect_alone(conn, o);
	source_expect_installed(conn, OWN_WRITE);
	source_resolve(conn, &o->tables, SOURCE_NAME, &tables);
	buf_string(&script, track_begin);
	for (size_t i = 0; i < tables.count; i++) {
		const struct source_table *t = &tables.table[i];
		PGresult *res = track_installed(conn, t);

		if (res == NULL) {
			complain("see dml-export --status for the tables that are",
				"table %s is not tracked", t->label);
			tables.status = DIE_PERSON;
			continue;
		}
		if (t->base != NULL)
			buf_format(
				&script, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;\n", t->base);
		buf_format(&script, "%s\n%s\n", pg_text(res, 0, "script"),
			pg_text(res, 0, "forget"));
		PQclear(res);
		found++;
	}
	if (found > 0 && are_all(conn, found))
		buf_string(&script, unschema_sql);
	buf_string(&script, track_commit);
	if (found > 0)
		tables.status = die_worst(tables.status,
			track_run_or_print(conn, o, script.data, "cannot uninstall"));
	pg_disconnect(conn);
	buf_free(&script);
	opt_close_stdout();
	return tables.status;
}

enum die_status track_target_ddl(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	bool tracked = source_installed(conn, OWN_READ);
	struct source_tables tables;

	source_resolve(conn, &o->tables, SOURCE_BASE, &tables);
	track_refuse_reserved(&tables);
	for (size_t i = 0; i < tables.count; i++) {
		const struct source_table *t = &tables.table[i];
		PGresult *old, *res;

		if (t->refused)
			continue;
		old = tracked ? track_installed(conn, t) : NULL;
		res = pg_query(conn, ddl_sql, 2,
			(const char *const[]){
				t->oid, old != NULL ? pg_text(old, 0, "key") : NULL});
		if (PQntuples(res) != 1 || !pg_bool(res, 0, "has_key"))
			tables.status = die_worst(tables.status, track_no_key(o, t));
		else
			fputs(pg_text(res, 0, "ddl"), stdout);
		PQclear(res);
		PQclear(old);
	}
	pg_disconnect(conn);
	opt_close_stdout();
	return tables.status;
}
