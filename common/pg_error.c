/*
 * A server's error can carry a row: the primary message of a data exception quotes the value,
 * DETAIL quotes the key or the whole row, CONTEXT the line of COPY, and a trigger may say
 * anything.  So DETAIL and CONTEXT are never printed but for the place (table, line, column)
 * in COPY's context; the primary message only where the error's class can't quote data.
 */
#include "pg_error.h"

#include "buf.h"
#include "pg.h"

#include <stdlib.h>
#include <string.h>

static const char *field(const PGresult *res, int code)
{
	const char *text = res != NULL ? PQresultErrorField(res, code) : NULL;

	return text != NULL ? text : "";
}

/* Class 57P: the server is going down; whether it had committed, nobody knows. */
bool pg_error_is_final(const PGresult *res)
{
	const char *state = field(res, PG_DIAG_SQLSTATE);

	if (PQresultStatus(res) == PGRES_COMMAND_OK)
		return true;
	return *state != '\0' && strncmp(state, "57P", 3) != 0 && strncmp(state, "08", 2) != 0;
}

/* An error that a function raised may say anything; one that the server met by itself, while it
 * read COPY's lines or waited for a tuple's lock, speaks its own language. */
static bool is_servers_own(const PGresult *res)
{
	const char *context = field(res, PG_DIAG_CONTEXT);

	return *context == '\0' || strncmp(context, "COPY ", 5) == 0 ||
	       (strncmp(context, "while ", 6) == 0 && strchr(context, '\n') == NULL);
}

/*
 * The classes whose primary message is made of names and numbers only.  In COPY a name may be a
 * row's: regclass and its like complain of what they read as of any other name.  Values are
 * read elsewhere, too, where an index is made of an expression: a syntax error is one of a
 * value then, and so is a limit, which tsquery quotes, but for that of an index's row.
 */
static bool may_be_told(const PGresult *res)
{
	if (strcmp(field(res, PG_DIAG_SQLSTATE), "42601") == 0 ||
		(strncmp(field(res, PG_DIAG_SQLSTATE), "54", 2) == 0 &&
			*field(res, PG_DIAG_CONSTRAINT_NAME) == '\0'))
		return false;

	static const char *const classes[] = {"08", "23", "25", "28", "40", "53", "55", "57",
		"58", "54", "0A", "2B", "34", "3B", "3D", "3F", "42", "44", "F0"};
	enum { ALL = sizeof classes / sizeof *classes, WHILE_READING = 9 };
	bool reads = strncmp(field(res, PG_DIAG_CONTEXT), "COPY ", 5) == 0;

	for (size_t i = 0; i < (reads ? WHILE_READING : ALL); i++)
		if (strncmp(field(res, PG_DIAG_SQLSTATE), classes[i], 2) == 0)
			return true;
	return false;
}

/*
 * "PL/pgSQL function public.f(integer)" where the error came from one, which the caller frees;
 * else NULL.  The rest of the context may hold a row: a statement's text, an expression's
 * value; so nothing is looked for behind such a one, and the function has no name.
 */
static char *function_of(const PGresult *res)
{
	static const char begin[] = "PL/pgSQL function ";
	const char *at = field(res, PG_DIAG_CONTEXT);
	const char *end = strstr(at, ") line ");

	if (strncmp(at, "SQL statement ", 14) == 0 || strncmp(at, "SQL expression ", 15) == 0)
		return mem_string("a function or trigger");
	if (strncmp(at, begin, sizeof begin - 1) != 0 || end == NULL || end - at > 200 ||
		memchr(at, '\n', (size_t)(end - at)) != NULL)
		return NULL;
	return mem_format("%.*s)", (int)(end - at), at);
}

struct advice {
	const char *state; /* an SQLSTATE, or the class it begins with */
	enum die_status status;
	const char *hint;
};

static const char foreign_key_hint[] =
	"make the foreign key DEFERRABLE, with NO ACTION in place of ON DELETE RESTRICT, which "
	"can't wait, or drop it; where it is this table that refers to another, that one has "
	"to be imported first";

/* The first that fits. */
static const struct advice advices[] = {
	{"23503", DIE_PERSON, foreign_key_hint},
	{"23001", DIE_PERSON, foreign_key_hint}, /* RESTRICT, from PostgreSQL 18 on */
	{"23", DIE_PERSON, "mend the target table's rows or constraint, then run it again"},
	{"22P05", DIE_PERSON,
		"a value at the source, or a name at the target, has a character that the "
		"other's encoding lacks: change it there"},
	{"22", DIE_PERSON,
		"compare the table's definition on both sides, and the servers' versions"},
	{"25006", DIE_PERSON, "connect to the primary: this server is a standby or read-only"},
	{"42501", DIE_PERSON,
		"grant what the manual page lists under PRIVILEGES, and what the server's log "
		"names"},
	{"42", DIE_PERSON, "compare the table's definition with what the message names"},
	{"3F", DIE_PERSON, "create the schema, or name another table"},
	{"0A", DIE_PERSON, "see the manual page for what can't be replicated"},
	{"P0", DIE_PERSON, "look into the server's log for what the trigger or function said"},
	{"38", DIE_PERSON, "look into the server's log for what the trigger or function said"},
	{"39", DIE_PERSON, "look into the server's log for what the trigger or function said"},
	{"27", DIE_PERSON, "look for a trigger that writes to its own table"},
	{"21", DIE_PERSON, "look for a rule or a function that returns several rows"},
	{"2BP01", DIE_PERSON, "drop what depends on it, then run it again"},
	{"54", DIE_PERSON, "compare the table's indexes and limits with the source's"},
	{"55006", DIE_PERSON,
		"look for a trigger that truncates, alters or drops the table that it is on"},
	{"55000", DIE_PERSON, "do what the message asks for, then run it again"},
	{"40", DIE_AGAIN, "run it again"},
	{"55P03", DIE_NOT_NOW, "run it again when the lock is free"},
	{"53100", DIE_AGAIN, "make space on the server, then run it again"},
	{"53", DIE_AGAIN, "run it again when the server has resources to spare"},
	{"57014", DIE_AGAIN, "run it again; somebody cancelled it"},
	{"57", DIE_AGAIN, "run it again when the server is up"},
	{"08", DIE_AGAIN, "run it again when the server is up"},
	{"", DIE_AGAIN, "look into the server's log, then run it again"},
};

static const struct advice *advice_for(const char *state)
{
	const struct advice *a = advices;

	while (strncmp(state, a->state, strlen(a->state)) != 0)
		a++;
	return a;
}

/* "COPY users, line 3, column age: …" → "COPY users, line 3, column age" */
static void add_place(struct buf *b, const PGresult *res)
{
	const char *context = field(res, PG_DIAG_CONTEXT);
	size_t len = strcspn(context, ":\n");

	if (strncmp(context, "COPY ", 5) == 0 && len < 300)
		buf_format(b, " at %.*s", (int)len, context);
}

/* Where libpq speaks for itself: the connection. */
static void add_connection(struct buf *b, PGconn *conn)
{
	const char *text = PQerrorMessage(conn);
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	for (size_t i = 0; i < len; i++)
		buf_byte(b, text[i] == '\n' || text[i] == '\t' ? ' ' : text[i]);
	if (len == 0)
		buf_string(b, "the connection to the server was lost");
}

/* An answer that is no error, but not what was asked for: rows that somebody's trigger or rule
 * has dropped, or a transaction that was rolled back. */
static bool is_no_error(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static const char function_hint[] = "look into the server's log for what it said; search_path "
				    "is empty where it runs, so it "
				    "may need SET search_path or qualified names";

static void tell(PGconn *conn, const PGresult *res, const char *what, const char *function,
	const char *hint)
{
	const char *state = field(res, PG_DIAG_SQLSTATE);
	struct buf b = {0};

	if (what != NULL)
		buf_format(&b, "%s: ", what);
	if (is_no_error(res))
		buf_string(&b,
			"the server did something else than it was asked to, without an error");
	else if (*state == '\0')
		add_connection(&b, conn);
	else if (may_be_told(res) && is_servers_own(res))
		buf_format(&b, "%s", field(res, PG_DIAG_MESSAGE_PRIMARY));
	else if (function != NULL)
		buf_format(&b, "%s failed", function);
	else
		buf_string(&b, "the server refused a value or failed");
	if (*state != '\0') {
		add_place(&b, res);
		buf_format(&b, " (SQLSTATE %s)", state);
	}
	complain(hint, "%s", b.data);
	buf_free(&b);
}

enum die_status pg_complain(PGconn *conn, const PGresult *res, const char *what)
{
	const char *state = field(res, PG_DIAG_SQLSTATE);
	static const struct advice unexpected = {"", DIE_AGAIN,
		"run it again; if it stays so, look for a trigger or rule on schema dml's "
		"tables, which may drop what is written there"};
	const struct advice *advice =
		is_no_error(res) ? &unexpected : advice_for(*state != '\0' ? state : "08000");
	char *function = is_servers_own(res) ? NULL : function_of(res);

	tell(conn, res, what, function,
		function != NULL && advice->status == DIE_PERSON ? function_hint
								 : advice->hint);
	free(function);
	return advice->status;
}

void pg_die(PGconn *conn, const PGresult *res, const char *what)
{
	exit((int)pg_complain(conn, res, what));
}

void pg_die_with(PGconn *conn, const PGresult *res, const char *what, enum die_status status,
	const char *hint)
{
	tell(conn, res, what, NULL, hint);
	exit((int)status);
}

/* Whoever compares with psql would be asked for a password there, and see no difference. */
static const char *unconnected_hint(PGconn *conn)
{
	if (PQconnectionNeedsPassword(conn))
		return "a password is never asked for: put it into ~/.pgpass, with mode 0600, "
		       "PGPASSFILE or a service file";
	return "compare -d, -h, -p, -U and the environment with psql's; if the server is down, "
	       "run it again when it is up";
}

void pg_die_unconnected(PGconn *conn, int jobs)
{
	struct buf b = {0};

	add_connection(&b, conn);
	if (jobs > 0)
		die(DIE_AGAIN,
			"give a smaller -j, or raise the limit of connections of the role, the "
			"database or the server; those that could be had do all the work",
			"fewer than the %d connections of -j could be had: %s", jobs, b.data);
	die(DIE_AGAIN, unconnected_hint(conn), "cannot connect: %s", b.data);
}
