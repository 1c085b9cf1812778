#include "copy.h"

#include "changes.h"
#include "describe.h"
#include "lock.h"
#include "pg_settings.h"
#include "rights.h"
#include "workers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What an index calls runs while the query of the rows is planned, and may have changed by what
 * they are read and printed. */
static enum die_status expect_settings(const struct run *run, const struct source_table *t)
{
	PGresult *now = pg_settings(run->conn);
	char *changed = pg_settings_changed(run->settings, now);

	PQclear(now);
	if (changed == NULL)
		return DIE_DONE;
	complain("look for an index or statistics whose function says SET or set_config(), and "
		 "let ALTER FUNCTION … SET do that for the function alone",
		"table %s: while its rows were read, %s was changed for the session, and rows "
		"may have been read or printed by the wrong one",
		t->label, changed);
	free(changed);
	return DIE_PERSON;
}

/* The rows of one chain by a connection of the caller's.  If refused: what that calls for.  An
 * index can be made while others' rows are read: so whose code would run is asked here. */
static enum die_status copy_chain(struct run *run, struct chain *c)
{
	struct selection selection;
	enum die_status status;

	if (run->wary &&
		(status = rights_to_read(run->conn, &run->rights, c->table)) != DIE_DONE)
		return status;
	status = selection_make(run->conn, c->table, &selection);
	if (status == DIE_DONE)
		status = changes_copy(run, c, &selection);
	if (status == DIE_DONE)
		status = expect_settings(run, c->table);
	selection_free(&selection);
	return status;
}

/* Each chain is copied under a savepoint: what the server refuses fails for itself, and so does
 * what can be locked but not read, as while it is reindexed.  What was read stays locked. */
static void begin_alone(struct run *run)
{
	pg_exec(run->conn, LOCK_PATIENCE "SAVEPOINT batch", "SAVEPOINT");
	run->settings = pg_settings(run->conn);
}

static void next_alone(const struct run *run)
{
	pg_exec(run->conn, "RELEASE SAVEPOINT batch;" CHANGES_PLAN "SAVEPOINT batch",
		"SAVEPOINT");
}

static void end_alone(struct run *run)
{
	pg_exec(run->conn, LOCK_PATIENCE_REST "RELEASE SAVEPOINT batch", "RELEASE");
	PQclear(run->settings);
	run->settings = NULL;
}

/* Locks were taken by name, and so were the rows: what is locked must be what was meant.  Marks
 * the tables of `read` for which it isn't. */
static void confirm(const struct run *run, const bool *read, bool *wrong)
{
	describe_confirm(run->conn, run->tables.table, run->tables.count, read, wrong);
}

/* The tables that are copied so far; the caller frees it. */
static bool *copied_tables(const struct run *run)
{
	bool *read = mem_zero(run->tables.count, sizeof *read);

	for (size_t i = 0; i < run->chains; i++)
		read[run->chain[i].table - run->tables.table] |= run->chain[i].copied;
	return read;
}

/* True if a table could not be copied because another had taken its name. */
static bool was_another(const struct run *run, const struct source_table *t)
{
	size_t which = (size_t)(t - run->tables.table);
	bool *read = copied_tables(run);
	bool *wrong = mem_zero(run->tables.count, sizeof *wrong);
	bool was;

	read[which] = true;
	confirm(run, read, wrong);
	was = wrong[which];
	free(wrong);
	free(read);
	return was;
}

/* Between begin_alone() and end_alone(): a savepoint stands before and after it. */
static void copy_alone(struct run *run, struct chain *c)
{
	enum die_status status = copy_chain(run, c);

	c->copied = status == DIE_DONE;
	if (c->copied) {
		next_alone(run);
		return;
	}
	pg_exec(run->conn, "ROLLBACK TO SAVEPOINT batch", "ROLLBACK");
	if (was_another(run, c->table))
		status = DIE_AGAIN;
	run->status = die_worst(run->status, status);
}

static bool is_job(const struct run *run, const struct chain *c)
{
	return c->due && changes_leader(run, c) == NULL;
}

static void one_after_the_other(struct run *run)
{
	begin_alone(run);
	for (size_t i = 0; i < run->chains; i++)
		if (is_job(run, &run->chain[i]))
			copy_alone(run, &run->chain[i]);
	end_alone(run);
}

/* What a process of side_by_side() tells its parent of a chain, in shared memory. */
struct outcome {
	bool tried; /* else the parent has to */
	bool copied;
	uint64_t ids, rows, data_bytes;
	struct io_sum file[FILE_COUNT];
};

struct shared {
	const struct run *run;
	const char *snapshot; /* exported by the parent's transaction, which stays open */
	struct chain **job;
	size_t jobs;
	struct outcome *outcome; /* one for each job */
};

/* A transaction in the parent's snapshot. */
static void join_snapshot(PGconn *conn, const struct shared *s)
{
	struct buf sql = {0};

	pg_exec(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN");
	buf_format(&sql, "SET TRANSACTION SNAPSHOT '%s'", s->snapshot);
	pg_exec(conn, sql.data, "SET");
	pg_script(conn, LOCK_PATIENCE);
	pg_script(conn, changes_settings);
	buf_free(&sql);
}

/* One job of a worker, which has the table's lock; ends the transaction. */
static enum die_status copy_apart(struct run *run, struct chain *c, struct outcome *o)
{
	enum die_status status = copy_chain(run, c);
	bool read = true, wrong, done = status == DIE_DONE;

	if (!done)
		pg_exec(run->conn, "ROLLBACK", "ROLLBACK");
	if (!describe_confirm(run->conn, c->table, 1, &read, &wrong))
		status = DIE_AGAIN;
	if (status == DIE_DONE) {
		o->ids = c->manifest.ids;
		o->rows = c->manifest.rows;
		o->data_bytes = c->manifest.data_bytes;
		memcpy(o->file, c->manifest.file, sizeof o->file);
		o->copied = true;
	}
	if (done)
		pg_exec(run->conn, "ROLLBACK", "ROLLBACK");
	return status;
}

/* A worker connects before it takes a job: if the server has no room for it, the others do. */
static enum die_status copy_worker(struct workers *w, const void *context)
{
	const struct shared *s = context;
	struct run run = *s->run;
	enum die_status worst = DIE_DONE;

	run.conn = pg_connect_beside(&run.options->pg, run.options->jobs);
	for (size_t i = workers_next(w); i < s->jobs; i = workers_next(w)) {
		join_snapshot(run.conn, s);
		if (!lock_at_once(run.conn, s->job[i]->table)) {
			pg_exec(run.conn, "ROLLBACK", "ROLLBACK");
			continue;
		}
		if (run.settings == NULL)
			run.settings = pg_settings(run.conn);
		s->outcome[i].tried = true;
		worst = die_worst(worst, copy_apart(&run, s->job[i], &s->outcome[i]));
	}
	PQclear(run.settings);
	rights_free(&run.rights);
	pg_disconnect(run.conn);
	return worst;
}

static void take_outcome(struct chain *c, const struct outcome *o)
{
	c->copied = o->copied;
	c->manifest.ids = o->ids;
	c->manifest.rows = o->rows;
	c->manifest.data_bytes = o->data_bytes;
	memcpy(c->manifest.file, o->file, sizeof o->file);
}

/* What the workers did, and what none of them could. */
static void take_outcomes(struct run *run, const struct shared *s)
{
	size_t untried = 0;

	for (size_t i = 0; i < s->jobs; i++) {
		if (s->outcome[i].tried)
			take_outcome(s->job[i], &s->outcome[i]);
		untried += !s->outcome[i].tried;
	}
	if (untried == 0)
		return;
	begin_alone(run);
	for (size_t i = 0; i < s->jobs; i++)
		if (!s->outcome[i].tried)
			copy_alone(run, s->job[i]);
	end_alone(run);
}

static void side_by_side(struct run *run)
{
	struct shared s = {.run = run};
	size_t size = run->chains * sizeof *s.outcome;
	PGresult *res = pg_query_row(
		run->conn, "SELECT pg_catalog.pg_export_snapshot() AS snapshot", 0, NULL);

	s.snapshot = pg_text(res, 0, "snapshot");
	s.job = mem_zero(run->chains, sizeof(void *));
	s.outcome = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s.outcome == MAP_FAILED)
		die_errno(DIE_AGAIN, "run it again when the machine has memory to spare",
			"cannot share memory");
	for (size_t i = 0; i < run->chains; i++)
		if (is_job(run, &run->chain[i]))
			s.job[s.jobs++] = &run->chain[i];
	run->status = die_worst(
		run->status, workers_run(s.jobs, run->options->jobs, copy_worker, &s));
	take_outcomes(run, &s);
	munmap(s.outcome, size);
	free(s.job);
	PQclear(res);
}

/* A table may be wrong whose rows were read before it was: its batch comes with the next run.
 */
static void confirm_all(struct run *run)
{
	bool *read = copied_tables(run);
	bool *wrong = mem_zero(run->tables.count, sizeof *wrong);

	confirm(run, read, wrong);
	for (size_t i = 0; i < run->chains; i++)
		run->chain[i].copied &= !wrong[run->chain[i].table - run->tables.table];
	free(wrong);
	free(read);
}

void copy_all(struct run *run)
{
	if (run->options->jobs > 1)
		side_by_side(run);
	else
		one_after_the_other(run);
	rights_free(&run->rights);
	confirm_all(run);
}
