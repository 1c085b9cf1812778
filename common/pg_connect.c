/* Making a connection that depends on nobody's settings. */
#include "buf.h"
#include "interrupt.h"
#include "pg.h"
#include "pg_error.h"
#include "pg_settings.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { OLDEST_SERVER = 130000 };

/* The statement that a signal has to stop; the oldest libpq has no better way that is safe in
 * a handler. */
static PGcancel *volatile cancel;

void pg_cancel(void)
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
	interrupt_add(pg_cancel);
}

static void no_notices(void *unused, const PGresult *res)
{
	(void)unused;
	(void)res;
}

/* A URI that is mistyped, which libpq takes for a database's name: user:password@host, or with
 * a slash too few behind its scheme. */
static bool is_mistyped_uri(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon != NULL && (strstr(colon, "://") != NULL || strchr(colon, '@') != NULL ||
					strncmp(text, "postgres", 8) == 0);
}

/* Or was meant to be one. */
static bool is_conninfo(const char *text)
{
	return strchr(text, '=') != NULL || is_mistyped_uri(text);
}

/* Everybody on the machine can read a command line.  libpq's own message about a malformed
 * string is not printed either: it may quote the password. */
static void refuse_password(const char *conninfo)
{
	PQconninfoOption *options;
	char *wrong = NULL;

	if (conninfo == NULL || !is_conninfo(conninfo))
		return;
	options = PQconninfoParse(conninfo, &wrong);
	if (options == NULL && (wrong == NULL || strncmp(wrong, "out of memory", 13) == 0))
		mem_exhausted();
	if (options == NULL)
		die(DIE_USAGE,
			"write it as psql -d takes it: a name, \"key=value …\", or a URI",
			"the connection string is malformed");
	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		if (strchr(o->dispchar, '*') != NULL && o->val != NULL && *o->val != '\0')
			die(DIE_USAGE, "put it into ~/.pgpass, PGPASSFILE or a service file",
				"the connection string holds a password, which everybody on "
				"this machine can read");
	PQconninfoFree(options);
}

/* The server would quote it as the name of a database that isn't there, a password with it. */
static void refuse_conninfo_as_name(const char *conninfo)
{
	const char *name = getenv("PGDATABASE");

	if (conninfo == NULL && name != NULL && is_conninfo(name))
		die(DIE_USAGE, "give it with -d",
			"PGDATABASE holds a connection string, which libpq takes for a name");
}

static bool has_timeout(PGconn *conn)
{
	PQconninfoOption *options = PQconninfo(conn);
	bool has = false;

	if (options == NULL)
		mem_exhausted();
	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, "connect_timeout") == 0)
			has = o->val != NULL && *o->val != '\0';
	PQconninfoFree(options);
	return has;
}

/*
 * PQconnectdbParams() would print what the server says meanwhile: that it has collations of
 * another version, say.  So this is its loop, with the notices out of the way.  Only libpq
 * itself can give a silent host up and try the next: where there is a connect_timeout,
 * PQreset() begins anew, without a word and within that time.
 */
static void await(PGconn *conn)
{
	PostgresPollingStatusType wants = PGRES_POLLING_WRITING;

	PQsetNoticeReceiver(conn, no_notices, NULL);
	if (PQstatus(conn) == CONNECTION_BAD)
		return;
	if (has_timeout(conn)) {
		PQreset(conn);
		return;
	}
	while (wants == PGRES_POLLING_READING || wants == PGRES_POLLING_WRITING) {
		struct pollfd server = {.fd = PQsocket(conn),
			.events = wants == PGRES_POLLING_READING ? POLLIN : POLLOUT};

		if (poll(&server, 1, -1) > 0)
			wants = PQconnectPoll(conn);
		else if (errno != EINTR)
			die_errno(DIE_AGAIN, "run it again", "cannot wait for the server");
	}
}

static void expect_version(PGconn *conn)
{
	int version = PQserverVersion(conn);

	if (version == 0) /* the server told it, but libpq could not keep it */
		mem_exhausted();
	if (version < OLDEST_SERVER)
		die(DIE_PERSON, "upgrade the server to 13 or later",
			"the server is PostgreSQL %d.%d, which is too old", version / 10000,
			version % 10000);
}

/* `jobs` as in pg_connect_beside(), else 0. */
static PGconn *connect_and_pin(const struct pg_options *options, int jobs)
{
	/* As with psql, what the connection string says wins over -h, -p and -U. */
	const char *const keywords[] = {
		"host", "port", "user", "dbname", "fallback_application_name", NULL};
	const char *const values[] = {options->host, options->port, options->user,
		options->conninfo, die_program_name(), NULL};
	PGconn *conn;

	refuse_password(options->conninfo);
	refuse_conninfo_as_name(options->conninfo);
	conn = PQconnectStartParams(keywords, values, 1);
	if (conn == NULL)
		mem_exhausted();
	await(conn);
	if (PQstatus(conn) != CONNECTION_OK)
		pg_die_unconnected(conn, jobs);
	expect_version(conn);
	pg_pin_settings(conn);
	return conn;
}

static PGconn *connect_and_watch(const struct pg_options *options, int jobs)
{
	PGconn *conn = connect_and_pin(options, jobs);

	watch(conn);
	return conn;
}

PGconn *pg_connect(const struct pg_options *options)
{
	return connect_and_watch(options, 0);
}

PGconn *pg_connect_beside(const struct pg_options *options, int jobs)
{
	return connect_and_watch(options, jobs);
}

PGconn *pg_connect_aside(const struct pg_options *options)
{
	return connect_and_pin(options, 0);
}

void pg_disconnect(PGconn *conn)
{
	watch(NULL);
	PQfinish(conn);
}
