/* Making a connection that depends on nobody's settings. */
#include "buf.h"
#include "interrupt.h"
#include "pg.h"

#include <stdlib.h>
#include <string.h>

enum { OLDEST_SERVER = 130000 };

/* The statement that a signal has to stop; the oldest libpq has no better way that is safe in
 * a handler. */
static PGcancel *volatile cancel;

static void cancel_statement(void)
{
	char error[256];

	if (cancel != NULL)
		(void)PQcancel(cancel, error, sizeof error);
}

static void watch(PGconn *conn)
{
	sigset_t before;

	interrupt_block(&before);
	if (cancel != NULL)
		PQfreeCancel(cancel);
	cancel = conn != NULL ? PQgetCancel(conn) : NULL;
	interrupt_restore(&before);
	interrupt_add(cancel_statement);
}

/*
 * What changes the text that COPY prints or reads, and what would end a long statement.  The
 * first statement empties search_path, so that none of the others can be somebody else's.
 * client_encoding is the database's own: nothing is converted on the way out.
 */
static const char pin[] =
	"SELECT pg_catalog.set_config('search_path', '', false);"
	"SELECT pg_catalog.set_config('client_encoding', pg_catalog.getdatabaseencoding(), "
	"false);"
	"SELECT pg_catalog.set_config(s.name, w.value, false)"
	"  FROM (VALUES ('DateStyle', 'ISO'), ('IntervalStyle', 'postgres'), ('TimeZone', "
	"'UTC'),"
	"               ('extra_float_digits', '3'), ('bytea_output', 'hex'),"
	"               ('row_security', 'off'), ('standard_conforming_strings', 'on'),"
	"               ('escape_string_warning', 'off'), ('quote_all_identifiers', 'off'),"
	"               ('array_nulls', 'on'), ('xmloption', 'content'), ('xmlbinary', "
	"'base64'),"
	"               ('lc_monetary', 'C'), ('statement_timeout', '0'), ('lock_timeout', "
	"'0'),"
	"               ('idle_in_transaction_session_timeout', '0'),"
	"               ('idle_session_timeout', '0'), ('transaction_timeout', '0'),"
	"               ('synchronous_commit', 'on'), ('check_function_bodies', 'on'),"
	"               ('jit', 'off'), ('default_tablespace', ''),"
	"               ('default_transaction_deferrable', 'off'))"
	"       AS w (name, value)"
	"  JOIN pg_catalog.pg_settings AS s ON s.name = w.name"
	" WHERE s.setting <> w.value AND (s.name <> 'synchronous_commit' OR s.setting = 'off')";

static void no_notices(void *unused, const PGresult *res)
{
	(void)unused;
	(void)res;
}

static bool is_conninfo(const char *text)
{
	return strchr(text, '=') != NULL || strncmp(text, "postgresql://", 13) == 0 ||
	       strncmp(text, "postgres://", 11) == 0;
}

/* Everybody on the machine can read a command line.  libpq's own message about a malformed
 * string is not printed either: it may quote the password. */
static void refuse_password(const char *conninfo)
{
	PQconninfoOption *options;

	if (conninfo == NULL || !is_conninfo(conninfo))
		return;
	options = PQconninfoParse(conninfo, NULL);
	if (options == NULL)
		die(DIE_USAGE,
			"write it as psql -d takes it: a name, \"key=value …\", or a URI",
			"the connection string is malformed");
	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		if (strchr(o->dispchar, '*') != NULL && o->val != NULL && *o->val != '\0')
			die(DIE_USAGE, "put it into ~/.pgpass, PGPASSFILE or a service file",
				"the connection string holds a password, which everybody on "
				"this "
				"machine can read");
	PQconninfoFree(options);
}

static void expect_version(PGconn *conn)
{
	int version = PQserverVersion(conn);

	if (version < OLDEST_SERVER)
		die(DIE_PERSON, "upgrade the server to 13 or later",
			"the server is PostgreSQL %d.%d, which is too old", version / 10000,
			version % 10000);
}

PGconn *pg_connect(const struct pg_options *options)
{
	/* As with psql, what the connection string says wins over -h, -p and -U. */
	const char *const keywords[] = {
		"host", "port", "user", "dbname", "fallback_application_name", NULL};
	const char *const values[] = {options->host, options->port, options->user,
		options->conninfo, die_program_name(), NULL};
	PGconn *conn;

	refuse_password(options->conninfo);
	conn = PQconnectdbParams(keywords, values, 1);
	if (conn == NULL)
		die(DIE_AGAIN, "run it again when the machine has memory to spare",
			"out of memory");
	if (PQstatus(conn) != CONNECTION_OK)
		pg_die(conn, NULL, "cannot connect");
	PQsetNoticeReceiver(conn, no_notices, NULL);
	expect_version(conn);
	pg_script(conn, pin);
	watch(conn);
	return conn;
}

void pg_disconnect(PGconn *conn)
{
	watch(NULL);
	PQfinish(conn);
}
