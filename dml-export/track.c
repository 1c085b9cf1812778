#include "track.h"

#include "own_schema.h"
#include "rights.h"

#include "installed.sql.h"
#include "stray.sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char track_begin[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n"
			   "SET LOCAL search_path = '';\n"
			   "SET LOCAL lock_timeout = '10s';\n"
			   "SET LOCAL default_table_access_method = heap;\n";
const char track_commit[] = "COMMIT;\n";

PGresult *track_installed(PGconn *conn, const struct source_table *t)
{
	char *name = mem_format("%s.%s", t->name.schema, t->name.table);
	const char *const values[] = {name, t->oid};
	PGresult *res = pg_query(conn, installed_sql, 2, values);

	free(name);
	if (PQntuples(res) > 0)
		return res;
	PQclear(res);
	return NULL;
}

char *track_stray(PGconn *conn, const struct source_table *t)
{
	const char *const values[] = {t->oid};
	PGresult *res = pg_query_row(conn, stray_sql, 1, values);
	char *script = mem_string(pg_text(res, 0, "script"));

	PQclear(res);
	return script;
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

	PGresult *res = pg_query_try(
		conn, "SELECT pg_catalog.pg_advisory_lock(" OWN_LOCK_INSTALL ")", 0, NULL);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		pg_die(conn, res, "another --install or --uninstall is under way");
	PQclear(res);
}

void track_expect_no_strangers(PGconn *conn, const struct options *o)
{
	if (!o->print_sql && own_schema_is_wary(conn))
		rights_to_write(conn, "DELETE FROM dml.tracked");
}

/* Whoever can write to the tables there has ways into what we do; patterns leave them out. */
static bool is_reserved(const char *schema)
{
	return strcmp(schema, "dml") == 0 || strncmp(schema, "pg_", 3) == 0 ||
	       strcmp(schema, "information_schema") == 0;
}

static bool fits_directory(const struct name *name)
{
	struct buf directory = {0};
	bool fits = name_to_directory(&directory, name);

	buf_free(&directory);
	return fits;
}

void track_refuse_names(struct source_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];

		if (t->refused)
			continue;
		if (is_reserved(t->name.schema))
			source_refuse(tables, t, "name a table of the application's",
				"is in a schema of the system's or of ours");
		else if (!fits_directory(&t->name))
			source_refuse(tables, t, "rename the table or its schema",
				"has a name that is too long for a directory");
	}
}
