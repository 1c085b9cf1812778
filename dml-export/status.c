#include "status.h"

#include "print.h"
#include "source.h"

#include "status.sql.h"

#include <stdlib.h>

/* How many keys wait, and how many rows the shadow holds. */
static PGresult *count(PGconn *conn, const PGresult *res, int row)
{
	struct buf sql = {0};
	const char *xip = pg_text(res, row, "xip");
	PGresult *counts;

	buf_format(&sql, "SELECT (SELECT count(*) FROM (SELECT DISTINCT %s FROM %s AS s",
		pg_text(res, row, "key"), pg_text(res, row, "shadow"));
	if (!pg_is_null(res, row, "xmax"))
		buf_format(&sql, " WHERE s.txid >= %s OR s.txid = ANY ('{%s}'::bigint[])",
			pg_text(res, row, "xmax"), xip);
	buf_format(&sql, ") AS w) AS waiting, (SELECT count(*) FROM %s) AS rows",
		pg_text(res, row, "shadow"));
	counts = pg_query_row(conn, sql.data, 0, NULL);
	buf_free(&sql);
	return counts;
}

static const char *or_dash(const char *text)
{
	return *text != '\0' ? text : "-";
}

/* What a person should know of one row; `waits`: the shadow table holds rows. */
static const char *remark(const PGresult *res, int row, bool waits)
{
	if (pg_bool(res, row, "gone"))
		return "the table was dropped: --uninstall it";
	if (pg_is_null(res, row, "target"))
		return "no target yet";
	return waits && pg_bool(res, row, "holds") ? "holds the purge back" : "-";
}

static void print_row(struct print_table *out, PGconn *conn, const PGresult *res, int row)
{
	PGresult *counts = pg_is_null(res, row, "size") ? NULL : count(conn, res, row);
	bool registered = !pg_is_null(res, row, "target");

	print_cell(out, pg_text(res, row, pg_bool(res, row, "gone") ? "recorded" : "name"));
	print_cell(out, or_dash(pg_text(res, row, "target")));
	print_cell(out, or_dash(pg_text(res, row, "number")));
	print_cell(out, or_dash(pg_text(res, row, "exported")));
	print_cell(out, counts != NULL && registered ? pg_text(counts, 0, "waiting") : "-");
	print_cell(out, counts != NULL ? pg_text(counts, 0, "rows") : "-");
	print_cell(out, or_dash(pg_text(res, row, "size")));
	print_cell(out, remark(res, row, counts != NULL && pg_number(counts, 0, "rows") > 0));
	PQclear(counts);
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
		source_expect_installed(conn, OWN_READ);
		source_resolve(conn, &o->tables, SOURCE_TRACKED, &tables);
		source_expect_tracked(&tables);
		oids = source_oids(&tables);
	}
	if (some || source_installed(conn, OWN_READ))
		res = pg_query(conn, status_sql, 1, (const char *const[]){oids});
	print_begin(&out, sizeof heading / sizeof *heading);
	for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
		print_cell(&out, heading[i]);
	for (int row = 0; row < PQntuples(res); row++)
		print_row(&out, conn, res, row);
	print_end(&out);
	PQclear(res);
	free(oids);
	pg_disconnect(conn);
	opt_close_stdout();
	return tables.status;
}
