/*
 * The connection to PostgreSQL, and the only user of libpq beside the programs' own reading
 * of results.
 *
 * A statement that fails ends the program, unless its header says otherwise; the server rolls
 * back by itself.  Of a server's error only what can't hold a row's content is printed: see
 * pg_complain().  Results are freed by the caller with PQclear().
 */
#ifndef DML_PG_H
#define DML_PG_H

#include "die.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* What -d, -h, -p and -U say; NULL where libpq is to find it by itself. */
struct pg_options {
	const char *conninfo; /* a database's name, a connection string or a URI */
	const char *host;
	const char *port;
	const char *user;
};

/*
 * Connects, pins every setting that changes what COPY prints or how long a statement may
 * take, and empties search_path.  Refuses a server older than 13, and a password in
 * `conninfo`.
 */
PGconn *pg_connect(const struct pg_options *options);
/* The same for a worker, where there is a connection already: one of `jobs` for -j. */
PGconn *pg_connect_beside(const struct pg_options *options, int jobs);

void pg_disconnect(PGconn *conn);

/* A second session, which a signal does not cancel; for PQfinish(). */
PGconn *pg_connect_aside(const struct pg_options *options);

/* A statement without a result; `tag` is the command tag that must come back. */
void pg_exec(PGconn *conn, const char *sql, const char *tag);
/* The same for a tag that may end with a count of rows, which it returns; an error's message
 * begins with `what`. */
uint64_t pg_run(PGconn *conn, const char *sql, const char *what);
/* Several statements at once. */
void pg_script(PGconn *conn, const char *sql);
/* The same, but on an error tells of `what`, rolls back and returns the exit status. */
enum die_status pg_script_try(PGconn *conn, const char *sql, const char *what);

/* A query with parameters in text form; NULL is SQL's. */
PGresult *pg_query(PGconn *conn, const char *sql, int count, const char *const *values);
/* The same, and an error's message begins with `what`. */
PGresult *pg_query_of(
	PGconn *conn, const char *sql, int count, const char *const *values, const char *what);
/* The same, but an error's result is the caller's to look at. */
PGresult *pg_query_try(PGconn *conn, const char *sql, int count, const char *const *values);
/* A query that answers with exactly one row. */
PGresult *pg_query_row(PGconn *conn, const char *sql, int count, const char *const *values);

/* True if it failed because somebody else held a lock: for all of lock_timeout, or with NOWAIT.
 */
bool pg_lock_unavailable(const PGresult *res);

/* Reading results; a NULL is "" or 0 or false. */
const char *pg_text(const PGresult *res, int row, const char *column);
uint64_t pg_number(const PGresult *res, int row, const char *column);
bool pg_bool(const PGresult *res, int row, const char *column);
bool pg_is_null(const PGresult *res, int row, const char *column);

/* An array of the server's, in text form, from strings: '{"a","b"}'.  The caller frees it. */
char *pg_array(const char *const *values, size_t count);
/* The other way, for an array of one dimension without NULLs. */
char **pg_array_parse(const char *text, size_t *count);
void pg_array_free(char **values, size_t count);

/*
 * Says on standard error why `res` failed, beginning with `what` (a table's name, or NULL),
 * and returns the exit status that it calls for.
 */
enum die_status pg_complain(PGconn *conn, const PGresult *res, const char *what);
_Noreturn void pg_die(PGconn *conn, const PGresult *res, const char *what);
/* The same with an exit status and a hint of the caller's, who knows more. */
_Noreturn void pg_die_with(PGconn *conn, const PGresult *res, const char *what,
	enum die_status status, const char *hint);

/*
 * COMMIT.  PG_UNKNOWN: the connection went away before the answer came; whoever asked must
 * connect again and look.  A COMMIT that the server answered with ROLLBACK has failed.
 */
enum pg_commit { PG_COMMITTED, PG_ROLLED_BACK, PG_UNKNOWN };
/* After PG_ROLLED_BACK, which a message explained, `status` is what it calls for. */
enum pg_commit pg_commit(PGconn *conn, enum die_status *status);

/* Asks the server to give up the statement that runs.  Safe in a signal handler. */
void pg_cancel(void);

/* COPY … TO STDOUT, a row at a time. */
struct pg_rows {
	PGconn *conn;
	char *row; /* with its newline; valid until the next call */
	size_t len;
	uint64_t count; /* of rows so far */
};

/* If the server refuses, prints a message that begins with `what` and returns the exit status.
 * All three die where the connection is lost. */
enum die_status pg_rows_begin(
	struct pg_rows *rows, PGconn *conn, const char *sql, const char *what);
bool pg_rows_next(struct pg_rows *rows);
/* After the last row; the same, if the rows did not end well.  Dies if the server counts other
 * rows than came. */
enum die_status pg_rows_end(struct pg_rows *rows, const char *what);

/* COPY … FROM STDIN. */
void pg_feed_begin(PGconn *conn, const char *sql, const char *what);
void pg_feed(PGconn *conn, const void *data, size_t len, const char *what);
/* Ends it.  NULL if the server took all, `rows` of them; else its answer, for the caller to die
 * with. */
PGresult *pg_feed_end(PGconn *conn, uint64_t *rows, const char *what);

#endif
