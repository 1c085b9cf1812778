#include "status.h"

#include "ledger.h"
#include "pg_error.h"
#include "print.h"
#include "survey.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A table that the ledger knows, or that a directory is of. */
struct line {
	char *name;   /* as SQL */
	char *oid;    /* "" if there is none of that name */
	char *origin; /* the name of its directory's, if the ledger knows it: as a record */
	char *applied, *taken;
	struct waiting waiting;
};

struct lines {
	struct line *line;
	size_t count;
};

static const char ledger_sql[] =
	"SELECT pg_catalog.quote_ident(n.nspname) || '.' || "
	"    pg_catalog.quote_ident(c.relname) AS name,"
	"       c.oid, l.origin, l.number,"
	"       pg_catalog.to_char(l.taken, 'YYYY-MM-DD HH24:MI:SS\"Z\"') AS taken"
	"  FROM dml.ledger AS l"
	"  JOIN pg_catalog.pg_class AS c ON c.oid = l.relation"
	"  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace";

static struct line *add_line(struct lines *lines)
{
	lines->line = mem_resize(lines->line, lines->count + 1, sizeof *lines->line);
	lines->line[lines->count] = (struct line){0};
	return &lines->line[lines->count++];
}

static void load_known(struct lines *lines, PGconn *conn)
{
	PGresult *res = pg_query(conn, ledger_sql, 0, NULL);

	for (int row = 0; row < PQntuples(res); row++)
		*add_line(lines) = (struct line){.name = mem_string(pg_text(res, row, "name")),
			.oid = mem_string(pg_text(res, row, "oid")),
			.origin = mem_string(pg_text(res, row, "origin")),
			.applied = mem_string(pg_text(res, row, "number")),
			.taken = mem_string(pg_text(res, row, "taken"))};
	PQclear(res);
}

/* The table of that name: its oid, which the caller frees, or "". */
static char *find_oid(PGconn *conn, const struct name *name)
{
	const char *const values[] = {name->schema, name->table};
	/* An error, of bytes that are no text here, means no table, too. */
	PGresult *res = pg_query_try(conn,
		"SELECT c.oid FROM pg_catalog.pg_class AS c"
		"  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
		" WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')",
		2, values);
	bool good = PQresultStatus(res) == PGRES_TUPLES_OK;
	bool found = good && PQntuples(res) == 1;

	if (!good && !pg_error_is_final(res))
		pg_die(conn, res, NULL);

	char *oid = mem_string(found ? pg_text(res, 0, "oid") : "");

	PQclear(res);
	return oid;
}

/* The line of the table that a directory's batches are for: that of its name or, where there is
 * none, one that was imported from there with -t. */
static struct line *line_of(struct lines *lines, PGconn *conn, const struct name *name)
{
	struct buf sql = {0}, record = {0};
	char *oid = find_oid(conn, name);
	struct line *line = NULL;

	name_to_record(&record, name);
	for (size_t i = 0; i < lines->count && line == NULL; i++)
		if (*oid != '\0' ? strcmp(lines->line[i].oid, oid) == 0
				 : lines->line[i].origin != NULL &&
					   strcmp(lines->line[i].origin, record.data) == 0)
			line = &lines->line[i];
	buf_free(&record);
	if (line != NULL) {
		free(oid);
		return line;
	}
	name_to_sql(&sql, name);
	line = add_line(lines);
	*line = (struct line){.name = sql.data, .oid = oid};
	if (*oid == '\0')
		line->waiting.note = mem_string("there is no such table");
	return line;
}

static void add_directory(
	struct lines *lines, PGconn *conn, const struct found *where, bool ledger)
{
	struct name name = {0};
	struct line *line;

	if (!name_from_directory(where->name, &name)) {
		line = add_line(lines);
		line->name = mem_string(where->name);
		line->oid = mem_string("");
		line->waiting.note = mem_string("no name of a table's directory");
		return;
	}
	survey_encoding(conn, where);
	line = line_of(lines, conn, &name);
	survey(&line->waiting, conn, where, &name, ledger ? line->oid : "");
	name_free(&name);
}

static int compare(const void *left, const void *right)
{
	const struct line *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static void print_line(struct print_table *out, const struct line *l)
{
	const struct waiting *w = &l->waiting;
	char *batches = mem_format("%" PRIu64, w->batches);
	char *unready = mem_format("%" PRIu64 " not all here, or refused", w->unready);

	print_cell(out, l->name);
	print_cell(out, l->applied != NULL ? l->applied : "-");
	print_cell(out, l->taken != NULL ? l->taken : "-");
	print_cell(out, batches);
	print_cell(out, w->unready > 0 ? unready : w->note != NULL ? w->note : "-");
	free(batches);
	free(unready);
}

static void free_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->line[i].name);
		free(lines->line[i].oid);
		free(lines->line[i].origin);
		free(lines->line[i].applied);
		free(lines->line[i].taken);
		free(lines->line[i].waiting.note);
	}
	free(lines->line);
}

enum die_status status_print(const struct options *o, const struct find *find)
{
	static const char *const heading[] = {"TABLE", "APPLIED", "AS OF", "WAITING", "NOTE"};
	PGconn *conn = pg_connect(&o->pg);
	bool ledger = ledger_exists(conn);
	struct lines lines = {0};
	struct print_table out;

	if (ledger)
		load_known(&lines, conn);
	for (size_t i = 0; i < find->count; i++)
		add_directory(&lines, conn, &find->found[i], ledger);
	if (lines.count > 0)
		qsort(lines.line, lines.count, sizeof *lines.line, compare);
	print_begin(&out, sizeof heading / sizeof *heading);
	for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
		print_cell(&out, heading[i]);
	for (size_t i = 0; i < lines.count; i++)
		print_line(&out, &lines.line[i]);
	print_end(&out);
	free_lines(&lines);
	pg_disconnect(conn);
	opt_close_stdout();
	return DIE_DONE;
}
