#include "status.h"

#include "batch.h"
#include "ledger.h"
#include "print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What waits in the directories of one table. */
struct waiting {
	uint64_t batches; /* not yet applied */
	uint64_t missing; /* the first number that a batch here builds on and nobody has; 0:
			     none */
	uint64_t unready; /* not all here, or refused */
};

/* One batch in its turn; `last` is the number before it, applied or waiting. */
static void count_batch(struct waiting *w, const struct manifest *m, uint64_t *last)
{
	w->batches++;
	if (m->scope == SCOPE_FULL)
		w->missing = 0;
	else if (w->missing == 0 && m->base != *last)
		w->missing = m->base;
	*last = m->number;
}

/* What of one directory the ledger, at `number` of `chain`, does not have yet. */
static void survey(
	struct waiting *w, const struct found *where, const char *chain, uint64_t number)
{
	struct spool_list list;
	uint64_t last = number;

	spool_list(&where->dir, &list);
	for (size_t i = 0; i < list.count && list.entry[i].kind == SPOOL_BATCH; i++) {
		struct batch b;
		char *why = NULL;
		enum batch_state state =
			batch_open(&b, &where->dir, SPOOL_BATCH, list.entry[i].number, &why);

		free(why);
		if (state == BATCH_NOT_READY || state == BATCH_REFUSED)
			w->unready++;
		if (state != BATCH_GOOD)
			continue;
		if (strcmp(b.manifest.chain, chain) != 0 || b.number > number)
			count_batch(w, &b.manifest, &last);
		batch_close(&b);
	}
	spool_list_free(&list);
}

static const char *or_dash(const char *text)
{
	return *text != '\0' ? text : "-";
}

static void print_number(struct print_table *out, uint64_t number)
{
	char *text = mem_format("%" PRIu64, number);

	print_cell(out, text);
	free(text);
}

static void print_note(struct print_table *out, const struct waiting *w)
{
	char *text = w->unready > 0
			     ? mem_format("%" PRIu64 " not all here, or refused", w->unready)
		     : w->missing > 0 ? mem_format("batch %" PRIu64 " is missing", w->missing)
				      : mem_string("-");

	print_cell(out, text);
	free(text);
}

static const char ledger_sql[] =
	"SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) "
	"AS name,"
	"       n.nspname AS schema, c.relname AS relation, l.chain, l.number,"
	"       pg_catalog.to_char(l.taken, 'YYYY-MM-DD HH24:MI:SS\"Z\"') AS taken"
	"  FROM dml.ledger AS l"
	"  JOIN pg_catalog.pg_class AS c ON c.oid = l.relation"
	"  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
	" ORDER BY 1";

/* Adds up what waits for a table, and marks the directories that were counted. */
static void survey_all(struct waiting *w, const struct find *find, bool *counted,
	const struct name *table, const char *chain, uint64_t number)
{
	for (size_t i = 0; i < find->count; i++) {
		struct name name = {0};

		if (!name_from_directory(find->found[i].name, &name))
			continue;
		if (name_equal(&name, table)) {
			survey(w, &find->found[i], chain, number);
			counted[i] = true;
		}
		name_free(&name);
	}
}

static void print_known(
	struct print_table *out, PGconn *conn, const struct find *find, bool *counted)
{
	PGresult *res = pg_query(conn, ledger_sql, 0, NULL);

	for (int row = 0; row < PQntuples(res); row++) {
		struct waiting w = {0};
		struct name name = {.schema = mem_string(pg_text(res, row, "schema")),
			.table = mem_string(pg_text(res, row, "relation"))};

		survey_all(&w, find, counted, &name, pg_text(res, row, "chain"),
			pg_number(res, row, "number"));
		print_cell(out, pg_text(res, row, "name"));
		print_cell(out, pg_text(res, row, "number"));
		print_cell(out, or_dash(pg_text(res, row, "taken")));
		print_number(out, w.batches);
		print_note(out, &w);
		name_free(&name);
	}
	PQclear(res);
}

/* Directories of tables that were never imported. */
static void print_unknown(struct print_table *out, const struct find *find, const bool *counted)
{
	for (size_t i = 0; i < find->count; i++) {
		struct waiting w = {0};

		if (counted[i])
			continue;
		survey(&w, &find->found[i], "", 0);
		print_cell(out, find->found[i].name);
		print_cell(out, "-");
		print_cell(out, "-");
		print_number(out, w.batches);
		print_note(out, &w);
	}
}

enum die_status status_print(const struct options *o, const struct find *find)
{
	static const char *const heading[] = {"TABLE", "APPLIED", "AS OF", "WAITING", "NOTE"};
	PGconn *conn = pg_connect(&o->pg);
	bool *counted = mem_zero(find->count, sizeof *counted);
	struct print_table out;

	print_begin(&out, sizeof heading / sizeof *heading);
	for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
		print_cell(&out, heading[i]);
	if (ledger_exists(conn))
		print_known(&out, conn, find, counted);
	print_unknown(&out, find, counted);
	print_end(&out);
	free(counted);
	pg_disconnect(conn);
	opt_close_stdout();
	return DIE_DONE;
}
