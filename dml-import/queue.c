#include "queue.h"

#include "ledger.h"

#include <inttypes.h>
#include <stdlib.h>

/* The queue of one directory. */
struct queue {
	struct apply *apply;
	const struct found *where;
	struct spool_dir dir;
	struct name table; /* as the directory's name says */
	enum die_status status;
};

void queue_table(const struct found *where, struct name *name)
{
	if (!name_from_directory(where->name, name))
		die(DIE_PERSON, "use the directory's name as dml-export wrote it",
			"\"%s\" is no name of a table's directory", where->path);
}

/* Step 3: what the spool holds never chooses what is written. */
static bool is_of_table(const struct queue *q, const struct batch *b)
{
	const struct opt_names *given = &q->apply->options->tables;

	if (name_equal(&b->manifest.table, &q->table) ||
		(given->count == 1 && name_equal(&b->manifest.table, &given->name[0])))
		return true;

	struct buf named = {0};

	name_to_sql(&named, &b->manifest.table);
	complain("move it to the directory of its table, or remove it",
		"\"%s\" holds a batch of table %s", b->dir.path, named.data);
	buf_free(&named);
	return false;
}

/* Says why the batch was not applied. */
static void explain(const struct queue *q, const struct batch *b, const struct ledger *l,
	enum verdict result)
{
	const struct manifest *m = &b->manifest;
	const char *label = q->apply->target.label;
	char *full = mem_format("dml-export --full -t '%s' -T %s", label, m->target);
	char *hint = NULL;

	switch (result) {
	case VERDICT_GAP:
		hint = mem_format("ship it; if it is lost, run on the source: %s", full);
		complain(hint,
			"%s: batch %" PRIu64 " is missing: \"%s\" builds on it, and %" PRIu64
			" was applied last",
			label, m->base, b->dir.path, l->number);
		break;
	case VERDICT_HEADLESS:
		hint = mem_format("ship that; if it is lost, run on the source: %s", full);
		complain(hint, "%s: \"%s\" belongs to a chain whose first batch never came",
			label, b->dir.path);
		break;
	case VERDICT_FORK:
		hint = mem_format(
			"two copies of the source go on under one name, or it was set "
			"back: decide for one, run on it: %s; and remove the other's",
			full);
		complain(hint,
			"%s: \"%s\" does not build on batch %" PRIu64
			", which was applied here",
			label, b->dir.path, l->number);
		break;
	case VERDICT_STALE:
		complain("if the source was set back, take it with --accept-source; else "
			 "remove it",
			"%s: \"%s\" begins a new chain, but is older than batch %" PRIu64
			", which was applied here",
			label, b->dir.path, l->number);
		break;
	case VERDICT_FOREIGN:
		complain(
			"if the source was moved, take it with --accept-source; else remove it",
			"%s: \"%s\" is for %s from database \"%s\" of cluster %s, and what was "
			"applied here was for %s from \"%s\" of %s",
			label, b->dir.path, m->target, m->source.database, m->source.system,
			l->target, l->at.source.database, l->at.source.system);
		break;
	case VERDICT_MISFIT: /* told already */
	case VERDICT_APPLY:
	case VERDICT_DONE:
		break;
	}
	free(hint);
	free(full);
}

static void remove_unless_kept(const struct queue *q, uint64_t number)
{
	if (!q->apply->options->keep)
		batch_remove(&q->dir, number);
}

/*
 * What a batch means for those behind it.  STEP_PAST: it was not applied, but the table is past
 * its number, so it holds up nobody.
 */
enum step { STEP_ON, STEP_PAST, STEP_STUCK };

/* A batch that can't be opened; `tell`: say so, and let it count. */
static enum step not_open(
	struct queue *q, uint64_t number, enum batch_state state, const char *why, bool tell)
{
	bool past = number < ledger_number(q->apply->conn, q->apply->target.oid);
	char name[SPOOL_NAME_MAX];

	spool_name(name, SPOOL_BATCH, number);
	if (past) {
		warn("ignoring \"%s/%s\", which is older than what was applied and %s: remove "
		     "it",
			q->dir.path, name, why != NULL ? why : "not all here");
		return STEP_PAST;
	}
	if (!tell)
		return STEP_STUCK;
	if (state == BATCH_REFUSED)
		complain("ship it again from its source, with rsync --checksum",
			"\"%s/%s\" is refused: %s", q->dir.path, name, why);
	else
		warn("\"%s/%s\" is not all here: run this again when shipping is done, ship it "
		     "again if it is",
			q->dir.path, name);
	q->status = die_worst(q->status, state == BATCH_REFUSED ? DIE_PERSON : DIE_NOT_NOW);
	return STEP_STUCK;
}

static enum step take_open(struct queue *q, const struct batch *b, bool tell)
{
	struct ledger ledger;
	enum verdict result;

	if (!is_of_table(q, b)) {
		q->status = die_worst(q->status, DIE_PERSON);
		return STEP_STUCK;
	}
	if (!tell)
		batch_warn_of_strangers(b);
	q->apply->tell = tell;
	result = apply_batch(q->apply, b, &ledger);
	if (result == VERDICT_APPLY || result == VERDICT_DONE) {
		remove_unless_kept(q, b->number);
	} else if (tell) {
		explain(q, b, &ledger, result);
		q->status = die_worst(q->status, DIE_PERSON);
	}
	ledger_free(&ledger);
	return result == VERDICT_APPLY || result == VERDICT_DONE ? STEP_ON : STEP_STUCK;
}

static enum step take(struct queue *q, uint64_t number, bool tell)
{
	struct batch b;
	char *why = NULL;
	enum batch_state state = batch_open(&b, &q->dir, SPOOL_BATCH, number, &why);
	enum step step = STEP_ON;

	if (state == BATCH_GOOD) {
		step = take_open(q, &b, tell);
		batch_close(&b);
	} else if (state != BATCH_GONE) {
		step = not_open(q, number, state, why, tell);
	}
	free(why);
	return step;
}

/* True if this batch holds all rows and its turn has come. */
static bool bridges(struct queue *q, uint64_t number)
{
	struct batch b;
	struct ledger ledger;
	char *why = NULL;
	bool full;

	if (batch_open(&b, &q->dir, SPOOL_BATCH, number, &why) != BATCH_GOOD) {
		free(why);
		return false;
	}
	full = b.manifest.scope == SCOPE_FULL && is_of_table(q, &b) &&
	       apply_judge(q->apply, &b.manifest, &ledger) == VERDICT_APPLY;
	if (full)
		ledger_free(&ledger);
	batch_close(&b);
	return full;
}

static bool is_batch(const struct queue *q, const struct spool_entry *entry)
{
	return entry->kind == SPOOL_BATCH &&
	       (q->where->number == 0 || q->where->number == entry->number);
}

static void tidy(struct queue *q, const struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct spool_entry *entry = &list->entry[i];

		if (entry->kind == SPOOL_DONE)
			batch_remove_rest(&q->dir, entry->number);
		else if (entry->kind == SPOOL_OTHER)
			warn("ignoring \"%s/%s\", which is no batch", q->dir.path, entry->name);
	}
}

/* The batch behind the `stuck`th that makes it needless, or NULL. */
static const struct spool_entry *bridge(
	struct queue *q, const struct spool_list *list, size_t stuck)
{
	for (size_t i = stuck + 1; i < list->count; i++)
		if (is_batch(q, &list->entry[i]) && bridges(q, list->entry[i].number))
			return &list->entry[i];
	return NULL;
}

/*
 * In order.  Where one can't be applied, a full batch behind it may be: what it skips is then
 * older than the ledger, and another pass removes it.
 */
static void take_all(struct queue *q, const struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct spool_entry *entry = &list->entry[i], *full;

		if (!is_batch(q, entry) || take(q, entry->number, false) != STEP_STUCK)
			continue;
		full = bridge(q, list, i);
		if (full == NULL) {
			take(q, entry->number, true);
			return;
		}
		warn("\"%s/%s\" can't be applied; going on with the full batch \"%s\"",
			q->dir.path, entry->name, full->name);
		if (take(q, full->number, false) == STEP_STUCK) {
			take(q, full->number, true);
			return;
		}
		take_all(q, list);
		return;
	}
}

enum die_status queue_run(struct apply *a, const struct found *where)
{
	struct queue q = {.apply = a, .where = where};
	struct spool_list list;
	const struct name *write;

	queue_table(where, &q.table);
	spool_open(&q.dir, where->path);
	if (!spool_lock(&q.dir))
		die(DIE_NOT_NOW, "let it end, then run this one again",
			"\"%s\" is locked by another run", where->path);
	spool_list(&q.dir, &list);
	tidy(&q, &list);
	if (list.count > 0 && list.entry[0].kind == SPOOL_BATCH) {
		write = a->options->tables.count == 1 ? &a->options->tables.name[0] : &q.table;
		target_find(a->conn, write, &a->target);
		take_all(&q, &list);
		target_free(&a->target);
	}
	spool_list_free(&list);
	spool_close(&q.dir);
	name_free(&q.table);
	return q.status;
}
