#include "status.h"

#include "describe.h"
#include "print.h"
#include "source.h"

#include "status.sql.h"

#include <stdlib.h>
#include <string.h>

/* What is known of a table beside what status.sql says. */
struct look {
	bool locked;       /* somebody keeps it so: nothing more is known */
	const char *wrong; /* why it can't be exported, or NULL */
	char *size;        /* of its shadow table, for printing, or NULL */
};

/* NULL if it failed because what it reads is locked. */
static PGresult *ask(PGconn *conn, const char *sql, struct look *look)
{
	PGresult *res = pg_query_try(conn, sql, 0, NULL);

	if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1)
		return res;
	if (!pg_lock_unavailable(res))
		pg_die(conn, res, NULL);
	PQclear(res);
	look->locked = true;
	return NULL;
}

/* How many keys wait, whether a TRUNCATE is among them, and how many rows the shadow holds. */
static PGresult *count(PGconn *conn, const PGresult *res, int row, struct look *look)
{
	struct buf sql = {0};
	const char *xip = pg_text(res, row, "xip");
	PGresult *counts;

	buf_format(&sql,
		"SELECT pg_catalog.count(*) AS waiting, pg_catalog.count(*) > "
		"pg_catalog.count(w.key1) AS truncated,"
		" (SELECT pg_catalog.count(*) FROM %s) AS rows FROM (SELECT DISTINCT %s FROM "
		"%s AS s",
		pg_text(res, row, "shadow"), pg_text(res, row, "key"),
		pg_text(res, row, "shadow"));
	if (!pg_is_null(res, row, "xmax"))
		buf_format(&sql, " WHERE s.txid >= %s OR s.txid = ANY ('{%s}'::bigint[])",
			pg_text(res, row, "xmax"), xip);
	buf_string(&sql, ") AS w");
	counts = ask(conn, sql.data, look);
	buf_free(&sql);
	return counts;
}

static const char *or_dash(const char *text)
{
	return *text != '\0' ? text : "-";
}

/* The size of the row's shadow table, or NULL; the caller frees it. */
static char *size(PGconn *conn, const PGresult *res, int row, struct look *look)
{
	PGresult *sizes;
	char *sql, *text = NULL;

	if (pg_is_null(res, row, "shadow_oid"))
		return NULL;
	sql = mem_format(
		"SELECT pg_catalog.pg_size_pretty(pg_catalog.pg_total_relation_size(%s::oid))"
		" AS size",
		pg_text(res, row, "shadow_oid"));
	sizes = ask(conn, sql, look);
	if (sizes != NULL)
		text = mem_string(pg_text(sizes, 0, "size"));
	PQclear(sizes);
	free(sql);
	return text;
}

/* Why the row's table can't be exported, or NULL. */
static const char *cause(PGconn *conn, const PGresult *res, int row, bool *locked)
{
	struct source_table table = {0};
	bool intact;

	if (pg_bool(res, row, "gone"))
		return "the table was dropped: --uninstall it";
	if (pg_bool(res, row, "unlogged"))
		return "can't be exported: it is unlogged";
	table.oid = mem_string(pg_text(res, row, "base"));
	table.partitioned = pg_bool(res, row, "partitioned");
	intact = !pg_bool(res, row, "bypassed") && describe_is_intact(conn, &table, locked);
	free(table.oid);
	if (*locked)
		return NULL;
	if (!intact)
		return "can't be exported: run --install";
	return pg_bool(res, row, "readable") ? NULL : "can't be read";
}

/* Whom or what the shadow rows are kept for; the caller frees it. */
static char *keeper(const PGresult *res, int row, const PGresult *counts)
{
	bool open = pg_bool(res, row, "open"), dated = !pg_is_null(res, row, "since");

	if (pg_is_null(res, row, "target"))
		return mem_string("no target yet");
	if (!pg_bool(res, row, "last") || pg_number(counts, 0, "rows") == 0)
		return mem_string("-");
	if (pg_number(counts, 0, "waiting") > 0)
		return mem_string("holds the purge back");
	if (open)
		return mem_format("waits for a transaction open%s%s", dated ? " since " : "",
			pg_text(res, row, "since"));
	return mem_string("purged after the next batch");
}

static const char *waiting(const PGresult *counts)
{
	return pg_bool(counts, 0, "truncated") ? "all" : pg_text(counts, 0, "waiting");
}

static char *note_of(
	const PGresult *res, int row, const PGresult *counts, const struct look *look)
{
	if (look->wrong != NULL)
		return mem_string(look->wrong);
	return look->locked ? mem_string("locked right now") : keeper(res, row, counts);
}

static void print_row(
	struct print_table *out, PGconn *conn, const PGresult *res, int row, struct look *look)
{
	bool ask = pg_bool(res, row, "readable") && !look->locked;
	PGresult *counts = ask ? count(conn, res, row, look) : NULL;
	bool registered = !pg_is_null(res, row, "target");
	char *note = note_of(res, row, counts, look);

	print_cell(out, pg_text(res, row, pg_bool(res, row, "gone") ? "recorded" : "name"));
	print_cell(out, or_dash(pg_text(res, row, "target")));
	print_cell(out, or_dash(pg_text(res, row, "number")));
	print_cell(out, or_dash(pg_text(res, row, "exported")));
	print_cell(out, counts != NULL && registered ? waiting(counts) : "-");
	print_cell(out, counts != NULL ? pg_text(counts, 0, "rows") : "-");
	print_cell(out, look->size != NULL && !look->locked ? look->size : "-");
	print_cell(out, note);
	free(note);
	PQclear(counts);
}

/* Rows of one table stand together: what is wrong with it is asked once, and a lock is waited
 * for once. */
static void print_rows(struct print_table *out, PGconn *conn, const PGresult *res)
{
	struct look look = {0};

	for (int row = 0; row < PQntuples(res); row++) {
		if (row == 0 ||
			strcmp(pg_text(res, row, "base"), pg_text(res, row - 1, "base")) != 0) {
			free(look.size);
			look = (struct look){0};
			look.size = size(conn, res, row, &look);
			look.wrong = cause(conn, res, row, &look.locked);
		}
		print_row(out, conn, res, row, &look);
	}
	free(look.size);
}

enum die_status status_print(const struct options *o)
{
	static const char *const heading[] = {"TABLE", "TARGET", "BATCH", "EXPORTED", "WAITING",
		"SHADOW ROWS", "SIZE", "NOTE"};
	PGconn *conn = pg_connect(&o->pg);
	bool some = o->tables.count + o->tables.patterns > 0;
	struct source_tables tables = {0};
	PGresult *res = NULL;
	struct print_table out;
	char *oids = NULL;

	if (some) {
		source_expect_installed(conn, o, OWN_READ);
		source_resolve(conn, o, SOURCE_TRACKED, &tables);
		source_expect_tracked(&tables);
		oids = source_oids(&tables);
	}
	if (some || source_installed(conn, OWN_READ))
		res = pg_query(conn, status_sql, 1, (const char *const[]){oids});
	/* Whoever asks every minute must not wait for whoever changes a table. */
	pg_script(conn, "SET lock_timeout = '1s'");
	print_begin(&out, sizeof heading / sizeof *heading);
	for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
		print_cell(&out, heading[i]);
	print_rows(&out, conn, res);
	print_end(&out);
	PQclear(res);
	free(oids);
	pg_disconnect(conn);
	opt_close_stdout();
	return tables.status;
}
