#include "pg_settings.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

/*
 * The timeouts come first: a role's statement_timeout may be too short for the rest.  SET calls
 * no function that search_path could replace by somebody's own.  Locks are waited for as long
 * as this says where nothing else does: somebody may have locked our own tables before we have
 * locked anything.
 */
static const struct {
	const char *name, *value; /* NULL: see below, or what a transaction sets for itself */
	int since;                /* the first server that has it; 0 is all */
} settings[] = {
	{"statement_timeout", "0", 0},
	{"search_path", "''", 0},
	{"lock_timeout", "'10s'", 0},
	{"idle_in_transaction_session_timeout", "0", 0},
	{"idle_session_timeout", "0", 140000},
	{"transaction_timeout", "0", 170000},
	{"DateStyle", "ISO", 0},
	{"IntervalStyle", "postgres", 0},
	{"TimeZone", "'UTC'", 0},
	{"extra_float_digits", "3", 0},
	{"bytea_output", "hex", 0},
	{"row_security", "off", 0},
	{"standard_conforming_strings", "on", 0},
	{"escape_string_warning", "off", 0},
	{"quote_all_identifiers", "off", 0},
	{"array_nulls", "on", 0},
	{"xmloption", "content", 0},
	{"xmlbinary", "base64", 0},
	{"lc_monetary", "'C'", 0},
	{"check_function_bodies", "on", 0},
	{"jit", "off", 0},
	{"default_tablespace", "''", 0},
	{"default_table_access_method", "heap", 0},
	{"default_transaction_deferrable", "off", 0},
	{"client_encoding", NULL, 0},
	{"synchronous_commit", NULL, 0},
	{"restrict_nonsystem_relation_kind", NULL, 0},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* Nothing is converted on the way out; and how durable a commit is may be more than "on".  What
 * is set here, the server's configuration doesn't change meanwhile. */
static const char pin_rest[] =
	"SELECT pg_catalog.set_config('client_encoding', "
	"    pg_catalog.getdatabaseencoding(), false);"
	"SELECT pg_catalog.set_config('synchronous_commit', CASE"
	" WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'"
	" THEN 'on' ELSE pg_catalog.current_setting('synchronous_commit') END, false)";

void pg_pin_settings(PGconn *conn)
{
	struct buf sql = {0};

	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].value != NULL && PQserverVersion(conn) >= settings[i].since)
			buf_format(&sql, "SET %s = %s;", settings[i].name, settings[i].value);
	buf_string(&sql, pin_rest);
	pg_script(conn, sql.data);
	buf_free(&sql);
}

PGresult *pg_settings(PGconn *conn)
{
	struct buf sql = {0};
	PGresult *res;

	for (size_t i = 0; i < SETTINGS; i++)
		buf_format(&sql, "%s pg_catalog.current_setting('%s', true) AS \"%s\"",
			i == 0 ? "SELECT" : ",", settings[i].name, settings[i].name);
	res = pg_query_row(conn, sql.data, 0, NULL);
	buf_free(&sql);
	return res;
}

char *pg_settings_changed(const PGresult *before, const PGresult *now)
{
	struct buf changed = {0};

	for (int i = 0; i < SETTINGS; i++)
		if (strcmp(PQgetvalue(before, 0, i), PQgetvalue(now, 0, i)) != 0) {
			buf_separate(&changed, ", ");
			buf_string(&changed, settings[i].name);
		}
	return changed.data;
}
