#include "pg.h"

#include "buf.h"
#include "pg_error.h"

#include <stdlib.h>
#include <string.h>

/* As COMMIT with ROLLBACK, where the transaction had failed. */
static const char not_as_asked[] = "look into the server's log, then run it again";

static bool tag_is(PGresult *res, const char *tag)
{
	return PQresultStatus(res) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(res), tag) == 0;
}

void pg_exec(PGconn *conn, const char *sql, const char *tag)
{
	PGresult *res = PQexec(conn, sql);

	if (!tag_is(res, tag) && PQresultStatus(res) == PGRES_COMMAND_OK)
		die(DIE_AGAIN, not_as_asked, "the server answered %s with %s", tag,
			PQcmdStatus(res));
	if (!tag_is(res, tag))
		pg_die(conn, res, NULL);
	PQclear(res);
}

uint64_t pg_run(PGconn *conn, const char *sql, const char *what)
{
	PGresult *res = PQexec(conn, sql);
	uint64_t rows;

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		pg_die(conn, res, what);
	rows = strtoull(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	return rows;
}

static bool went_well(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

void pg_script(PGconn *conn, const char *sql)
{
	PGresult *res = PQexec(conn, sql);

	if (!went_well(res))
		pg_die(conn, res, NULL);
	PQclear(res);
}

enum die_status pg_script_try(PGconn *conn, const char *sql, const char *what)
{
	PGresult *res = PQexec(conn, sql);
	enum die_status status = went_well(res) ? DIE_DONE : pg_complain(conn, res, what);

	PQclear(res);
	if (status != DIE_DONE && PQstatus(conn) == CONNECTION_OK &&
		PQtransactionStatus(conn) != PQTRANS_IDLE)
		pg_exec(conn, "ROLLBACK", "ROLLBACK");
	return status;
}

PGresult *pg_query_try(PGconn *conn, const char *sql, int count, const char *const *values)
{
	return PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
}

PGresult *pg_query_of(
	PGconn *conn, const char *sql, int count, const char *const *values, const char *what)
{
	PGresult *res = pg_query_try(conn, sql, count, values);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		pg_die(conn, res, what);
	return res;
}

PGresult *pg_query(PGconn *conn, const char *sql, int count, const char *const *values)
{
	return pg_query_of(conn, sql, count, values, NULL);
}

PGresult *pg_query_row(PGconn *conn, const char *sql, int count, const char *const *values)
{
	PGresult *res = pg_query(conn, sql, count, values);

	if (PQntuples(res) != 1)
		die(DIE_AGAIN, "run it again; if it stays so, install it anew",
			"the server answered with %d rows in place of one", PQntuples(res));
	return res;
}

bool pg_lock_unavailable(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	return state != NULL && strcmp(state, "55P03") == 0;
}

static int column_of(const PGresult *res, const char *column)
{
	int number = PQfnumber(res, column);

	if (number < 0)
		die(DIE_AGAIN, "run it again; if it stays so, install it anew",
			"the server's answer has no column \"%s\"", column);
	return number;
}

const char *pg_text(const PGresult *res, int row, const char *column)
{
	return PQgetvalue(res, row, column_of(res, column));
}

uint64_t pg_number(const PGresult *res, int row, const char *column)
{
	return strtoull(pg_text(res, row, column), NULL, 10);
}

bool pg_bool(const PGresult *res, int row, const char *column)
{
	return strcmp(pg_text(res, row, column), "t") == 0;
}

bool pg_is_null(const PGresult *res, int row, const char *column)
{
	return PQgetisnull(res, row, column_of(res, column)) == 1;
}

char *pg_array(const char *const *values, size_t count)
{
	struct buf b = {0};

	buf_byte(&b, '{');
	for (size_t i = 0; i < count; i++) {
		buf_string(&b, i > 0 ? ",\"" : "\"");
		for (const char *p = values[i]; *p != '\0'; p++) {
			if (*p == '"' || *p == '\\')
				buf_byte(&b, '\\');
			buf_byte(&b, *p);
		}
		buf_byte(&b, '"');
	}
	buf_byte(&b, '}');
	return b.data;
}

char **pg_array_parse(const char *text, size_t *count)
{
	char **values = NULL;
	const char *p = text + (*text == '{');

	*count = 0;
	while (*p != '\0' && *p != '}') {
		struct buf b = {0};
		bool quoted = *p == '"';

		for (p += quoted; *p != '\0' && (quoted ? *p != '"' : *p != ',' && *p != '}');
			p++) {
			if (*p == '\\' && p[1] != '\0')
				p++;
			buf_byte(&b, *p);
		}
		p += quoted && *p == '"';
		p += *p == ',';
		values = mem_resize(values, *count + 1, sizeof *values);
		values[(*count)++] = b.data != NULL ? b.data : mem_string("");
	}
	return values;
}

void pg_array_free(char **values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(values[i]);
	free(values);
}

enum pg_commit pg_commit(PGconn *conn, enum die_status *status)
{
	PGresult *res = PQexec(conn, "COMMIT");
	enum pg_commit outcome = PG_ROLLED_BACK;

	*status = DIE_AGAIN;
	if (tag_is(res, "COMMIT"))
		outcome = PG_COMMITTED;
	else if (PQstatus(conn) != CONNECTION_OK || !pg_error_is_final(res))
		outcome = PG_UNKNOWN;
	else if (PQresultStatus(res) == PGRES_COMMAND_OK)
		complain(not_as_asked, "the server answered COMMIT with %s", PQcmdStatus(res));
	else
		*status = pg_complain(conn, res, "cannot commit");
	PQclear(res);
	return outcome;
}

enum die_status pg_rows_begin(
	struct pg_rows *rows, PGconn *conn, const char *sql, const char *what)
{
	PGresult *res = PQexec(conn, sql);
	bool good = PQresultStatus(res) == PGRES_COPY_OUT;
	enum die_status status = DIE_DONE;

	*rows = (struct pg_rows){.conn = conn};
	if (!good && PQstatus(conn) != CONNECTION_OK)
		pg_die(conn, res, what);
	if (!good)
		status = pg_complain(conn, res, what);
	PQclear(res);
	return status;
}

bool pg_rows_next(struct pg_rows *rows)
{
	PQfreemem(rows->row);
	rows->row = NULL;

	int len = PQgetCopyData(rows->conn, &rows->row, 0);

	if (len < 0)
		return false;
	rows->len = (size_t)len;
	rows->count++;
	return true;
}

/*
 * Takes the results up to the last.  The one that failed, or the last, is returned.
 *
 * A COPY that libpq gave up itself goes on for the server, and each further result would say so
 * again, for ever.  The next command on the connection throws away what of it has come, see
 * PQexecStart() in fe-exec.c.
 */
static PGresult *finish(PGconn *conn)
{
	PGresult *res = PQgetResult(conn), *next;

	while (PQresultStatus(res) != PGRES_COPY_OUT && (next = PQgetResult(conn)) != NULL) {
		if (PQresultStatus(res) == PGRES_COMMAND_OK ||
			PQresultStatus(next) == PGRES_COPY_OUT) {
			PQclear(res);
			res = next;
		} else {
			PQclear(next);
		}
	}
	return res;
}

/* The number in a tag of "COPY n".  False if it has none. */
static bool copied(PGresult *res, uint64_t *rows)
{
	const char *tag = PQcmdStatus(res);

	if (PQresultStatus(res) != PGRES_COMMAND_OK || strncmp(tag, "COPY ", 5) != 0)
		return false;
	*rows = strtoull(tag + 5, NULL, 10);
	return true;
}

enum die_status pg_rows_end(struct pg_rows *rows, const char *what)
{
	PGresult *res = finish(rows->conn);
	uint64_t count = 0;
	bool good = copied(res, &count);
	enum die_status status = DIE_DONE;

	PQfreemem(rows->row);
	rows->row = NULL;
	if (!good && PQstatus(rows->conn) != CONNECTION_OK)
		pg_die(rows->conn, res, what);
	if (PQresultStatus(res) == PGRES_COPY_OUT) {
		pg_cancel();
		complain("run it again when the machine has memory to spare",
			"%s: no memory for the next row", what);
		status = DIE_AGAIN;
	} else if (!good) {
		status = pg_complain(rows->conn, res, what);
	} else if (count != rows->count) {
		die(DIE_AGAIN, "run it again", "%s: %llu rows came, the server sent %llu", what,
			(unsigned long long)rows->count, (unsigned long long)count);
	}
	PQclear(res);
	return status;
}

void pg_feed_begin(PGconn *conn, const char *sql, const char *what)
{
	PGresult *res = PQexec(conn, sql);

	if (PQresultStatus(res) != PGRES_COPY_IN)
		pg_die(conn, res, what);
	PQclear(res);
}

void pg_feed(PGconn *conn, const void *data, size_t len, const char *what)
{
	if (PQputCopyData(conn, data, (int)len) != 1)
		pg_die(conn, NULL, what);
}

PGresult *pg_feed_end(PGconn *conn, uint64_t *rows, const char *what)
{
	PGresult *res;

	if (PQputCopyEnd(conn, NULL) != 1)
		pg_die(conn, NULL, what);
	res = finish(conn);
	if (res == NULL)
		pg_die(conn, NULL, what);
	if (!copied(res, rows))
		return res;
	PQclear(res);
	return NULL;
}
