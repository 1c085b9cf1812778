#include "apply.h"

#include "command.h"
#include "encoding.h"
#include "feed.h"
#include "indexes.h"
#include "ledger.h"
#include "pg_settings.h"
#include "refers.h"
#include "writes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A key that is equal to several rows would take some that are none of the batch's. */
static void expect_no_more(const struct target *t, const struct batch *b, uint64_t deleted)
{
	if (deleted <= b->manifest.ids)
		return;

	char *full = command_full(&b->manifest);

	die(DIE_PERSON,
		mem_format(
			"compare the types and collations of its key with the source's, look "
			"for rows that come from elsewhere, and then export all rows with %s",
			full),
		"table %s: the %" PRIu64 " keys of batch %" PRIu64 " are equal to %" PRIu64
		" rows here",
		t->label, b->manifest.ids, b->number, deleted);
}

/* Step 6: the ids that changed go into a temporary table, and their rows away.  Returns how
 * many went. */
static uint64_t delete_changed(struct apply *a, const struct batch *b)
{
	const struct target *t = &a->target;
	struct buf sql = {0};
	uint64_t deleted;

	/* An event trigger may give each new table row security, which COPY FROM refuses. */
	buf_format(&sql,
		"CREATE TEMPORARY TABLE dml_ids (%s) ON COMMIT DROP;"
		"ALTER TABLE pg_temp.dml_ids NO FORCE ROW LEVEL SECURITY",
		t->definitions);
	pg_script(a->conn, sql.data);
	feed_ids(a->conn, b, t->label);
	pg_exec(a->conn, "ANALYZE pg_temp.dml_ids", "ANALYZE");
	buf_reset(&sql);
	buf_format(&sql, "DELETE FROM %s%s AS t USING pg_temp.dml_ids AS c WHERE %s", t->only,
		t->relation, t->condition);
	deleted = pg_run(a->conn, sql.data, t->label);
	buf_free(&sql);
	expect_no_more(t, b, deleted);
	return deleted;
}

/* True if the table has no row; the lock keeps others from writing one. */
static bool is_empty(struct apply *a)
{
	char *sql = mem_format("SELECT NOT EXISTS (SELECT FROM %s%s) AS empty", a->target.only,
		a->target.relation);
	PGresult *res = pg_query_row(a->conn, sql, 0, NULL);
	bool empty = pg_bool(res, 0, "empty");

	PQclear(res);
	free(sql);
	return empty;
}

/* PostgreSQL refuses it where another table has a foreign key to this one, be that empty. */
static void truncate_all(struct apply *a)
{
	char *sql = mem_format("TRUNCATE %s%s", a->target.only, a->target.relation);
	PGresult *res = PQexec(a->conn, sql);
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	if (state != NULL && strcmp(state, "0A000") == 0)
		die(DIE_PERSON,
			"leave out --truncate: a foreign key of another table refers to it",
			"cannot truncate table %s (SQLSTATE 0A000)", a->target.label);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		pg_die(a->conn, res, a->target.label);
	PQclear(res);
	free(sql);
}

/* Step 6 of a full batch.  Where no dead row stays behind, indexes are made after the rows.
 * Returns how many were deleted, which TRUNCATE does not count. */
static uint64_t delete_all(struct apply *a, const struct batch *b, struct indexes *indexes)
{
	const struct target *t = &a->target;
	bool truncate = a->options->truncate;
	bool empty = !truncate && is_empty(a);
	struct buf sql = {0};
	uint64_t deleted;

	if (truncate || empty)
		indexes_drop(a->conn, t, b->manifest.rows, truncate, indexes);
	if (empty)
		return 0;
	if (truncate) {
		truncate_all(a);
		return 0;
	}
	buf_format(&sql, "DELETE FROM %s%s", t->only, t->relation);
	deleted = pg_run(a->conn, sql.data, t->label);
	buf_free(&sql);
	return deleted;
}

/*
 * Step 7.  Rows of a table that this transaction has emptied by TRUNCATE arrive frozen: nobody
 * has to write their pages again, neither the indexes that are made next nor a vacuum.  An
 * older snapshot sees them, too, but TRUNCATE has taken from it what it saw before.  Functions
 * that run within the COPY could see them as well, or leave a cursor open, which COPY would
 * refuse.  Returns as feed_rows() does.
 */
static PGresult *copy_rows(struct apply *a, const struct batch *b)
{
	const struct target *t = &a->target;
	bool frozen = b->manifest.scope == SCOPE_FULL && a->options->truncate && t->bare;
	struct buf sql = {0};
	PGresult *refusal;

	buf_format(&sql, "COPY %s (%s) FROM STDIN%s", t->relation, t->list,
		frozen ? " WITH (FREEZE)" : "");
	refusal = feed_rows(a->conn, b, sql.data, a->target.label);
	buf_free(&sql);
	return refusal;
}

/* What was deferred is checked now.  Returns as feed_rows() does. */
static PGresult *check_constraints(struct apply *a)
{
	PGresult *res = PQexec(a->conn, "SET CONSTRAINTS ALL IMMEDIATE");

	if (res == NULL)
		pg_die(a->conn, NULL, a->target.label);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		return res;
	PQclear(res);
	return NULL;
}

/* A row that another table lacks, or still has, may come or go with its import, which may be
 * later in this run: dies unless that is waited for. */
static void postpone(struct apply *a, const struct batch *b, PGresult *refusal)
{
	char *lacking = refers_lacking(a->conn, &a->target, refusal);

	if (lacking == NULL)
		pg_die(a->conn, refusal, a->target.label);
	if (!workers_postpone(a->workers))
		pg_die_with(a->conn, refusal, a->target.label, DIE_AGAIN,
			mem_format(
				"import %s first, then run this again; or drop the foreign key",
				lacking));
	note("%s: batch %" PRIu64 " is tried once more after table %s, for a foreign key",
		a->target.label, b->number, lacking);
	free(lacking);
	PQclear(refusal);
}

/* Step 8, up to COMMIT. */
static void note_applied(struct apply *a, const struct batch *b,
	const struct apply_terms *terms, const char *encoding, const struct columns *columns)
{
	char *written = target_columns(&a->target);
	struct ledger_sight sight;

	ledger_save(a->conn, a->target.oid, &b->manifest,
		&(struct ledger_extras){.needless = &terms->needless,
			.columns = written,
			.name = a->target.relation,
			.encoding = encoding,
			.names = columns_have_names(columns)},
		&sight);
	free(written);
	if (!sight.still)
		target_die_gone(&a->target);
	if (*sight.changed != '\0')
		die(DIE_PERSON,
			"look for a trigger, default or check whose function says SET or "
			"set_config(), and let ALTER FUNCTION … SET do that for the function "
			"alone",
			"table %s: while batch %" PRIu64
			" was applied, %s was changed for the session, and rows may have been "
			"read by the wrong one",
			a->target.label, b->number, sight.changed);
}

/* Steps 6 to 8, up to COMMIT.  VERDICT_APPLY or VERDICT_POSTPONED. */
static enum verdict write_rows(struct apply *a, const struct batch *b,
	const struct apply_terms *terms, const struct columns *columns)
{
	const char *encoding = pg_encoding_to_char(PQclientEncoding(a->conn));
	struct indexes indexes = {0};
	struct writes writes;
	uint64_t deleted;
	PGresult *refusal;

	writes_begin(a->conn, &a->target, &writes);
	pg_exec(a->conn, "SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS");
	if (b->manifest.scope == SCOPE_CHANGES)
		deleted = delete_changed(a, b);
	else
		deleted = delete_all(a, b, &indexes);
	if (b->manifest.scope == SCOPE_FULL && a->options->truncate)
		writes_anew(a->conn, &a->target, &writes);
	refusal = copy_rows(a, b);
	if (refusal == NULL)
		refusal = check_constraints(a);
	if (refusal != NULL) {
		postpone(a, b, refusal);
		indexes_free(&indexes);
		writes_free(&writes);
		return VERDICT_POSTPONED;
	}
	writes_expect(a->conn, &a->target, &writes, b->number, b->manifest.rows, deleted);
	writes_free(&writes);
	indexes_make(a->conn, &a->target, &indexes);
	note_applied(a, b, terms, encoding, columns);
	return VERDICT_APPLY;
}

/*
 * Changes go only onto rows that are as the batch before left them.  A column that was dropped
 * and made again, or is of another type since, has not the source's values in the rows that
 * don't change; nor where it was of another type for a while, as a batch found that was
 * refused; nor where a type that somebody made was changed under its values; and these may be
 * gone where the table was one that loses rows.
 */
static bool is_as_left(
	const struct apply *a, const struct batch *b, const struct ledger *ledger)
{
	return b->manifest.scope == SCOPE_FULL || target_is_as(&a->target, ledger->columns);
}

static void explain_change(
	const struct apply *a, const struct batch *b, const struct ledger *ledger)
{
	char *full = command_full(&b->manifest);
	char *hint = mem_format("run on the source: %s", full);

	complain(hint,
		"table %s can't take batch %" PRIu64 ": %s, which only a full batch can mend",
		a->target.label, b->number,
		*ledger->columns == '\0'
			? "it was unlogged or had a foreign partition, and may have lost rows"
			: "its columns were changed since the batch before");
	free(hint);
	free(full);
}

/* What begins a chain must not end where it came from, by a mistyped -d. */
static bool may_begin_here(const struct apply *a, const struct batch *b,
	const struct apply_terms *terms, const struct ledger *ledger)
{
	if (terms->accept_source || verdict_goes_on(&b->manifest, ledger))
		return true;
	return target_is_elsewhere(a->conn, &a->target, &b->manifest);
}

/* Others may read and write, or only read, or, where TRUNCATE takes the rows away that they
 * see, have to wait. */
static const char *lock_mode(const struct apply *a, const struct manifest *m)
{
	if (m->scope == SCOPE_CHANGES)
		return "ROW EXCLUSIVE";
	return a->options->truncate ? "ACCESS EXCLUSIVE" : "SHARE ROW EXCLUSIVE";
}

/* Step 5 on.  VERDICT_MISFIT if the table can't take the batch, or as write_rows(); `doubt` as
 * target_fits() has it. */
static enum verdict write_batch(struct apply *a, const struct batch *b,
	const struct apply_terms *terms, const struct ledger *ledger, char **doubt)
{
	struct columns columns = {0};
	enum verdict result = VERDICT_MISFIT;
	bool as_left, fits;

	if (a->target.superuser)
		ledger_expect_no_strangers(a->conn);
	if (!may_begin_here(a, b, terms, ledger))
		return VERDICT_MISFIT;
	target_lock(a->conn, &a->target, lock_mode(a, &b->manifest));
	if (!a->options->as_superuser)
		target_expect_no_strangers(a->conn, &a->target);
	batch_columns(b, &columns);
	target_describe(a->conn, &a->target, &b->manifest, &columns);
	as_left = is_as_left(a, b, ledger);
	fits = target_fits(a->conn, &a->target, &b->manifest, &columns, !as_left, doubt);
	if (fits && as_left)
		result = write_rows(a, b, terms, &columns);
	else if (fits)
		explain_change(a, b, ledger);
	columns_free(&columns);
	return result;
}

/* The answer to COMMIT was lost: the ledger knows, once the old session has let go.  A snapshot
 * from before that would not show it. */
static void look(struct apply *a, const struct manifest *m)
{
	bool committed;

	pg_disconnect(a->conn);
	warn("the connection was lost at COMMIT; connecting again to see what became of it");
	a->conn = pg_connect(&a->options->pg);
	encoding_set(a->conn, m->encoding);
	pg_exec(a->conn, "BEGIN ISOLATION LEVEL READ COMMITTED", "BEGIN");
	ledger_await(a->conn, a->target.oid);
	committed = ledger_has(a->conn, a->target.oid, m);
	pg_exec(a->conn, "COMMIT", "COMMIT");
	if (!committed)
		die(DIE_AGAIN, "run it again, connected to the server that it was begun on",
			"%s: batch %" PRIu64
			" was rolled back, unless another server answers now",
			a->target.label, m->number);
}

static void commit(struct apply *a, const struct manifest *m)
{
	enum die_status status;

	switch (pg_commit(a->conn, &status)) {
	case PG_COMMITTED:
		break;
	case PG_ROLLED_BACK:
		exit((int)status);
	case PG_UNKNOWN:
		look(a, m);
		break;
	}
}

/* Opens the transaction and takes the table's lock in it. */
static void begin(struct apply *a)
{
	pg_exec(a->conn, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "BEGIN");
	if (!ledger_lock(a->conn, a->target.oid))
		die(DIE_NOT_NOW, "let it end, then run this one again",
			"table %s is being imported by another run", a->target.label);
}

/* Ends the transaction of a batch that was not applied.  Once the table is mended nothing tells
 * any more that it may have lost rows or digits. */
static void end_unapplied(struct apply *a, const char *doubt)
{
	if (doubt == NULL) {
		pg_exec(a->conn, "ROLLBACK", "ROLLBACK");
		return;
	}
	ledger_doubt(a->conn, a->target.oid, doubt);
	pg_exec(a->conn, "COMMIT", "COMMIT");
}

enum verdict apply_batch(struct apply *a, const struct batch *b,
	const struct apply_terms *terms, struct ledger *ledger)
{
	const struct manifest *m = &b->manifest;
	char *doubt = NULL;
	enum verdict result;

	encoding_set(a->conn, m->encoding);
	begin(a);
	ledger_load(a->conn, a->target.oid, m, ledger);
	result = verdict(m, ledger, terms->accept_source);
	if (result == VERDICT_APPLY)
		result = write_batch(a, b, terms, ledger, &doubt);
	if (result != VERDICT_APPLY) {
		end_unapplied(a, doubt);
		free(doubt);
		return result;
	}
	commit(a, m);
	/* What a trigger or a default has set for the session is over with its table. */
	if (!a->target.bare) {
		pg_pin_settings(a->conn);
		encoding_set(a->conn, m->encoding);
	}
	note("%s: batch %" PRIu64 ", %s, %" PRIu64 " ids, %" PRIu64 " rows", a->target.label,
		m->number, manifest_scope_name(m->scope), m->ids, m->rows);
	return result;
}
