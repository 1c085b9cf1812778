#include "changes.h"

#include "gz.h"
#include "lock.h"
#include "progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char changes_settings[] = CHANGES_PLAN
	"SELECT pg_catalog.set_config('restrict_nonsystem_relation_kind', "
	"'view,foreign-table', true)"
	" WHERE pg_catalog.current_setting('restrict_nonsystem_relation_kind', true) IS NOT "
	"NULL";

/*
 * "s.txid < xmax(S2)" is always true.  It is there for the planner: of a range between two
 * bounds it expects few rows even without statistics, and so takes the BRIN index.
 */
static void add_condition(struct buf *sql, const struct run *run, const struct chain *c)
{
	buf_format(
		sql, "(s.txid >= %" PRIu64 " AND s.txid < %" PRIu64, c->xmax, run->source.xmax);
	if (*c->xip != '\0')
		buf_format(sql, " OR s.txid = ANY ('{%s}'::bigint[])", c->xip);
	buf_byte(sql, ')');
}

bool changes_are_same(const struct chain *a, const struct chain *b)
{
	if ((a->full != NULL) != (b->full != NULL))
		return false;
	return a->full != NULL || strcmp(a->snapshot, b->snapshot) == 0;
}

/* Chains stand by table. */
static const struct chain *first_of_table(const struct run *run, const struct chain *c)
{
	while (c > run->chain && c[-1].table == c->table)
		c--;
	return c;
}

/* The chain of the same table, before `c`, whose answer is also that of `c`; or NULL. */
static const struct chain *twin(const struct run *run, const struct chain *c)
{
	if (c->dropped)
		return NULL; /* nothing was loaded for it */
	for (const struct chain *other = first_of_table(run, c); other < c; other++)
		if (!other->dropped && other->full == NULL && c->full == NULL &&
			changes_are_same(other, c))
			return other;
	return NULL;
}

const struct chain *changes_leader(const struct run *run, const struct chain *c)
{
	for (const struct chain *other = first_of_table(run, c); other < c; other++)
		if (other->due && changes_are_same(other, c))
			return other;
	return NULL;
}

/* What is asked about each chain that could go on with its changes. */
struct question {
	const char *condition; /* on a row s of the shadow that is new to it: is there one? */
	bool due_only;
};

/* About the chains from `first` to before `end`, in one statement; NULL if it is about none. */
static char *write_down(
	const struct run *run, const struct question *q, size_t first, size_t end)
{
	struct buf sql = {0};

	for (size_t i = first; i < end; i++) {
		const struct chain *c = &run->chain[i];

		if (c->dropped || c->full != NULL || c->table->unchanged ||
			(q->due_only && !c->due) || twin(run, c) != NULL)
			continue;
		buf_format(&sql,
			"%sSELECT %zu AS chain WHERE EXISTS (SELECT FROM %s AS s WHERE ",
			sql.len > 0 ? " UNION ALL " : "", i, c->table->shadow);
		add_condition(&sql, run, c);
		buf_format(&sql, "%s)", q->condition);
	}
	return sql.data;
}

/* The rows of a query, or its error, which is undone; in one round trip.  Locking a table does
 * not lock its indexes: so they are waited for, for so long. */
static PGresult *query_under_savepoint(PGconn *conn, const char *sql, const char *patience)
{
	char *script = mem_format(
		"SAVEPOINT changes; SET LOCAL lock_timeout = '%s'; %s;" LOCK_PATIENCE_REST
		"RELEASE SAVEPOINT changes",
		patience, sql);
	PGresult *res = NULL, *next;

	if (PQsendQuery(conn, script) != 1)
		pg_die(conn, NULL, NULL);
	while ((next = PQgetResult(conn)) != NULL) {
		if (PQresultStatus(next) != PGRES_COMMAND_OK) {
			PQclear(res);
			res = next;
		} else {
			PQclear(next);
		}
	}
	free(script);
	if (res == NULL || PQstatus(conn) != CONNECTION_OK)
		pg_die(conn, res, NULL);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		pg_script(conn, "ROLLBACK TO SAVEPOINT changes; RELEASE SAVEPOINT changes");
	return res;
}

/* Notes the chains from `first` to before `end` for which the answer is yes.  NULL, or the
 * error, which is the caller's. */
static PGresult *ask_some(const struct run *run, const struct question *q, size_t first,
	size_t end, const char *patience, bool *yes)
{
	char *sql = write_down(run, q, first, end);
	PGresult *res = NULL;

	if (sql != NULL)
		res = query_under_savepoint(run->conn, sql, patience);
	free(sql);
	if (res != NULL && PQresultStatus(res) != PGRES_TUPLES_OK)
		return res;
	for (int row = 0; res != NULL && row < PQntuples(res); row++)
		yes[pg_number(res, row, "chain")] = true;
	PQclear(res);
	return NULL;
}

/* What needs this table's changes goes without; a full batch reads none. */
static void drop_unreadable(struct run *run, size_t first, size_t end, const PGresult *error)
{
	const struct source_table *t = run->chain[first].table;
	char *what = mem_format("%s, the shadow table of %s", t->shadow, t->label);

	run->status = die_worst(run->status, pg_complain(run->conn, error, what));
	free(what);
	for (size_t i = first; i < end; i++) {
		struct chain *c = &run->chain[i];

		if (c->full != NULL)
			continue;
		c->dropped = true;
		c->due = false;
	}
}

/*
 * For each chain, whether the answer is yes; the caller frees it.  All are asked about in one
 * statement.  If that fails, table by table, and for a second each, as in lock.c: a shadow
 * table whose index somebody keeps locked, or that is damaged, is no other table's affair.
 */
static bool *ask(struct run *run, const struct question *q)
{
	size_t targets = run->options->targets.count;
	bool *yes = mem_zero(run->chains, sizeof *yes);
	PGresult *error = ask_some(run, q, 0, run->chains, "10s", yes);
	bool failed = error != NULL;

	PQclear(error);
	for (size_t i = 0; failed && i < run->chains; i += targets) {
		error = ask_some(run, q, i, i + targets, "1s", yes);
		if (error != NULL)
			drop_unreadable(run, i, i + targets, error);
		PQclear(error);
	}
	return yes;
}

static void find_due(struct run *run)
{
	static const struct question is_changed = {.condition = ""};
	bool *yes = ask(run, &is_changed);

	for (size_t i = 0; i < run->chains; i++)
		run->chain[i].due |= yes[i];
	free(yes);
	for (size_t i = 0; i < run->chains; i++) {
		const struct chain *same = twin(run, &run->chain[i]);

		if (same != NULL)
			run->chain[i].due = same->due;
	}
}

/* A TRUNCATE left a row whose key is NULL; IS NULL would also be a composite of NULLs. */
static void find_truncated(struct run *run)
{
	static const struct question is_truncated = {
		.condition = " AND s.key1 IS NOT DISTINCT FROM NULL", .due_only = true};
	bool *yes = ask(run, &is_truncated);

	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (!yes[i])
			continue;
		for (struct chain *other = c + 1; other < run->chain + run->chains; other++)
			if (twin(run, other) == c)
				other->full = "the table was truncated";
		c->full = "the table was truncated";
	}
	free(yes);
}

void changes_find(struct run *run)
{
	for (size_t i = 0; i < run->chains; i++)
		run->chain[i].due = !run->chain[i].dropped && run->chain[i].full != NULL;
	find_due(run);
	find_truncated(run);
}

static enum die_status copy_ids(const struct run *run, struct chain *c,
	const struct selection *selection, const char *name)
{
	struct io_writer file;
	struct pg_rows rows;
	struct buf sql = {0};
	enum die_status status;

	buf_format(&sql, "COPY (SELECT DISTINCT %s FROM %s AS s WHERE ", selection->ids,
		c->table->shadow);
	add_condition(&sql, run, c);
	buf_string(&sql, ") TO STDOUT");
	status = pg_rows_begin(&rows, run->conn, sql.data, c->table->label);
	buf_free(&sql);
	if (status != DIE_DONE)
		return status;
	io_writer_open(&file, stage_file(&c->stage, manifest_file_name(FILE_IDS)), name);
	while (pg_rows_next(&rows))
		io_writer_add(&file, rows.row, rows.len);
	c->manifest.ids = rows.count;
	status = pg_rows_end(&rows, c->table->label);
	io_writer_close(&file, &c->manifest.file[FILE_IDS]);
	return status;
}

/*
 * The plan must hold at both ends: ten keys of a billion rows through the key's index, half a
 * table in one pass.  The shadow has no useful statistics, but now the number of keys is known.
 * A key costs a page or two of index and one of the table; a pass costs all of its pages, and
 * only that is worth the start of parallel workers.  All rows are read as they lie.
 */
static const char *plan_for(const struct chain *c)
{
	if (c->full != NULL)
		return "SET LOCAL enable_seqscan = on";
	if (c->manifest.ids <= 1000 || c->manifest.ids < c->table->pages)
		return "SET LOCAL enable_nestloop = on; SET LOCAL enable_hashjoin = off;"
		       "SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off";
	return "SET LOCAL enable_nestloop = off; SET LOCAL enable_hashjoin = on;"
	       "SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = on;"
	       "SET LOCAL max_parallel_workers_per_gather = DEFAULT";
}

static void add_rows_query(struct buf *sql, const struct run *run, const struct chain *c,
	const struct selection *selection)
{
	const char *only = c->table->partitioned ? "" : "ONLY ";

	if (c->full != NULL) {
		buf_format(sql, "COPY (SELECT %s FROM %s%s) TO STDOUT", selection->list, only,
			c->table->base);
		return;
	}
	buf_format(sql, "COPY (SELECT %s FROM (SELECT DISTINCT %s FROM %s AS s WHERE ",
		selection->base_list, selection->base_key, c->table->shadow);
	add_condition(sql, run, c);
	buf_format(sql, ") AS c JOIN %s%s AS b ON %s) TO STDOUT", only, c->table->base,
		selection->condition);
}

static enum die_status copy_rows(const struct run *run, struct chain *c,
	const struct selection *selection, const char *name)
{
	struct manifest *m = &c->manifest;
	struct gz_writer *file;
	struct pg_rows rows;
	struct buf sql = {0};
	uint64_t bytes = 0;
	enum die_status status;

	pg_script(run->conn, plan_for(c));
	add_rows_query(&sql, run, c, selection);
	status = pg_rows_begin(&rows, run->conn, sql.data, c->table->label);
	buf_free(&sql);
	if (status != DIE_DONE)
		return status;
	file = gz_writer_open(stage_file(&c->stage, manifest_file_name(FILE_DATA)), name,
		run->options->level);
	while (pg_rows_next(&rows)) {
		gz_write(file, rows.row, rows.len);
		bytes += rows.len;
		progress_show(c->table->label, rows.count, bytes, 0);
	}
	progress_clear();
	m->rows = rows.count;
	status = pg_rows_end(&rows, c->table->label);
	gz_writer_close(file, &m->file[FILE_DATA], &m->data_bytes);
	return status;
}

static enum die_status write_columns(
	struct chain *c, const struct selection *selection, const char *name)
{
	struct io_writer file;
	struct buf text = {0};

	columns_encode(&text, &selection->columns);
	if (text.len > COLUMNS_BYTES_MAX) {
		complain("make types of fewer columns, or of shorter names, for its columns",
			"%s: what describes its columns takes %zu bytes, and may take %d",
			c->table->label, text.len, COLUMNS_BYTES_MAX);
		buf_free(&text);
		return DIE_PERSON;
	}
	io_writer_open(&file, stage_file(&c->stage, manifest_file_name(FILE_COLUMNS)), name);
	io_writer_add(&file, text.data, text.len);
	io_writer_close(&file, &c->manifest.file[FILE_COLUMNS]);
	buf_free(&text);
	return DIE_DONE;
}

/* A full batch has an empty `ids`. */
static void write_no_ids(struct chain *c, const char *name)
{
	struct io_writer file;

	io_writer_open(&file, stage_file(&c->stage, manifest_file_name(FILE_IDS)), name);
	io_writer_close(&file, &c->manifest.file[FILE_IDS]);
}

enum die_status changes_copy(
	const struct run *run, struct chain *c, const struct selection *selection)
{
	char *name[FILE_COUNT];
	enum die_status status;

	for (enum manifest_file f = 0; f < FILE_COUNT; f++)
		name[f] = mem_format("%s/%s", c->stage.path, manifest_file_name(f));
	status = write_columns(c, selection, name[FILE_COLUMNS]);
	if (status == DIE_DONE && c->full != NULL)
		write_no_ids(c, name[FILE_IDS]);
	else if (status == DIE_DONE)
		status = copy_ids(run, c, selection, name[FILE_IDS]);
	if (status == DIE_DONE)
		status = copy_rows(run, c, selection, name[FILE_DATA]);
	for (enum manifest_file f = 0; f < FILE_COUNT; f++)
		free(name[f]);
	return status;
}
