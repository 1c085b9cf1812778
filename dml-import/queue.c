#include "queue.h"

#include "explain.h"
#include "ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The queue of one directory. */
struct queue {
	struct apply *apply;
	const struct found *where;
	const struct spool_dir *dir;
	struct name table; /* as the directory's name says */
	enum die_status status;
};

/* Step 3: what the spool holds never chooses what is written. */
static bool is_of_table(const struct queue *q, const struct batch *b)
{
	const struct opt_names *given = &q->apply->options->tables;

	return name_equal(&b->manifest.table, &q->table) ||
	       (given->count == 1 && name_equal(&b->manifest.table, &given->name[0]));
}

static void remove_unless_kept(const struct queue *q, uint64_t number)
{
	if (!q->apply->options->keep)
		batch_remove(q->dir, number);
}

/*
 * What a batch means for those behind it.  STEP_PAST: it was not applied, but the table is past
 * its number or its chain, so it holds up nobody.
 */
enum step { STEP_ON, STEP_PAST, STEP_STUCK };

/* A batch that can't be opened. */
static enum step not_open(
	struct queue *q, uint64_t number, enum batch_state state, const char *why)
{
	bool past = number < ledger_number(q->apply->conn, q->apply->target.oid);
	char name[SPOOL_NAME_MAX];

	spool_name(name, SPOOL_BATCH, number);
	if (past) {
		warn("ignoring \"%s/%s\", which is older than what was applied and %s: remove "
		     "it",
			q->dir->path, name, why != NULL ? why : "not all here");
		return STEP_PAST;
	}
	q->status = die_worst(q->status, explain_unopened(q->dir, number, state, why));
	return STEP_STUCK;
}

static enum step take_open(struct queue *q, const struct batch *b)
{
	struct ledger ledger;
	enum verdict result;
	enum step step;

	if (!is_of_table(q, b)) {
		explain_table(b);
		q->status = die_worst(q->status, DIE_PERSON);
		return STEP_STUCK;
	}
	batch_warn_of_strangers(b);
	result = apply_batch(q->apply, b, &ledger);
	if (result == VERDICT_APPLY || result == VERDICT_DONE) {
		remove_unless_kept(q, b->number);
		step = STEP_ON;
	} else {
		explain_verdict(q->apply, b, &ledger, result);
		q->status = die_worst(q->status, DIE_PERSON);
		step = result == VERDICT_FORK && ledger.retired ? STEP_PAST : STEP_STUCK;
	}
	ledger_free(&ledger);
	return step;
}

static enum verdict judge(struct queue *q, const struct batch *b)
{
	struct ledger ledger;
	enum verdict result;

	ledger_load(q->apply->conn, q->apply->target.oid, &b->manifest, &ledger);
	result = verdict(&b->manifest, &ledger, false);
	ledger_free(&ledger);
	return result;
}

/* True if it was applied, whatever has become of its files since: rsync may have been killed
 * when it had removed some of them at the source, and brought the rest again. */
static bool was_applied(struct queue *q, uint64_t number)
{
	struct batch b;
	char *why = NULL;
	bool done = false;

	if (batch_open_manifest(&b, q->dir, SPOOL_BATCH, number, &why) == BATCH_GOOD) {
		done = is_of_table(q, &b) && judge(q, &b) == VERDICT_DONE;
		batch_close(&b);
	}
	free(why);
	return done;
}

static enum step take(struct queue *q, uint64_t number)
{
	struct batch b;
	char *why = NULL;
	enum batch_state state = batch_open(&b, q->dir, SPOOL_BATCH, number, &why);
	enum step step = STEP_ON;

	if (state == BATCH_GOOD) {
		step = take_open(q, &b);
		batch_close(&b);
	} else if (state != BATCH_GONE && was_applied(q, number)) {
		remove_unless_kept(q, number);
	} else if (state != BATCH_GONE) {
		step = not_open(q, number, state, why);
	}
	free(why);
	return step;
}

/* True if this batch holds all rows and could be applied now, without anybody's say-so. */
static bool is_full_start(struct queue *q, uint64_t number)
{
	struct batch b;
	char *why = NULL;
	bool good;

	if (batch_open(&b, q->dir, SPOOL_BATCH, number, &why) != BATCH_GOOD) {
		free(why);
		return false;
	}
	good = b.manifest.scope == SCOPE_FULL && is_of_table(q, &b) &&
	       judge(q, &b) == VERDICT_APPLY;
	batch_close(&b);
	return good;
}

static bool is_batch(const struct queue *q, const struct spool_entry *entry)
{
	return entry->kind == SPOOL_BATCH && find_means(q->where, entry->number);
}

static void tidy(struct queue *q, const struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct spool_entry *entry = &list->entry[i];

		if (entry->kind == SPOOL_DONE)
			batch_remove_rest(q->dir, entry->number);
		else if (entry->kind == SPOOL_OTHER)
			warn("ignoring \"%s/%s\", which is no batch", q->dir->path,
				entry->name);
	}
}

/* The last batch with all rows that could be applied now, or NULL. */
static const struct spool_entry *last_full(struct queue *q, const struct spool_list *list)
{
	for (size_t i = list->count; i-- > 0;)
		if (is_batch(q, &list->entry[i]) && is_full_start(q, list->entry[i].number))
			return &list->entry[i];
	return NULL;
}

/* True if `m` was made by the same source, for the same target, before `full` was. */
static bool is_forerunner(const struct manifest *m, const struct manifest *full)
{
	uint64_t xmin, xmax, full_xmax;

	if (strcmp(m->source.system, full->source.system) != 0 ||
		strcmp(m->source.database, full->source.database) != 0 ||
		strcmp(m->target, full->target) != 0)
		return false;
	if (m->source.timeline != full->source.timeline)
		return m->source.timeline < full->source.timeline;
	return manifest_snapshot_bounds(m->snapshot, &xmin, &xmax) &&
	       manifest_snapshot_bounds(full->snapshot, &xmin, &full_xmax) && xmax < full_xmax;
}

/*
 * The chains that waited here when `full` was made, and how far they had come: with it they
 * come to their end, though it names only the last of them.
 */
static void list_needless(struct queue *q, const struct spool_list *list,
	const struct spool_entry *full, struct buf *chains, struct buf *numbers)
{
	struct batch f, b;
	char *why = NULL;

	if (batch_open(&f, q->dir, SPOOL_BATCH, full->number, &why) != BATCH_GOOD) {
		free(why);
		return;
	}
	for (const struct spool_entry *e = list->entry; e < list->entry + list->count; e++) {
		if (!is_batch(q, e) ||
			batch_open(&b, q->dir, SPOOL_BATCH, e->number, &why) != BATCH_GOOD) {
			free(why);
			why = NULL;
			continue;
		}
		if (is_forerunner(&b.manifest, &f.manifest)) {
			buf_format(
				chains, "%s%s", chains->len > 0 ? "," : "", b.manifest.chain);
			buf_format(
				numbers, "%s%" PRIu64, numbers->len > 0 ? "," : "", b.number);
		}
		batch_close(&b);
	}
	batch_close(&f);
}

/* Applies the full batch, and ends the chains that it makes needless. */
static enum step take_full(
	struct queue *q, const struct spool_list *list, const struct spool_entry *full)
{
	struct buf chains = {0}, numbers = {0};
	enum step step;

	list_needless(q, list, full, &chains, &numbers);
	q->apply->needless_chains = mem_format("{%s}", buf_text(&chains));
	q->apply->needless_numbers = mem_format("{%s}", buf_text(&numbers));
	step = take(q, full->number);
	free(q->apply->needless_chains);
	free(q->apply->needless_numbers);
	q->apply->needless_chains = q->apply->needless_numbers = NULL;
	buf_free(&chains);
	buf_free(&numbers);
	return step;
}

/*
 * In order.  A batch with all rows makes those before it needless, so the last one comes first:
 * what is missing, damaged or unfit before it holds up nobody.  They are then older than the
 * ledger, and removed as such.
 */
static void take_all(struct queue *q, const struct spool_list *list)
{
	const struct spool_entry *full = last_full(q, list);

	if (full != NULL && take_full(q, list, full) == STEP_STUCK)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (is_batch(q, &list->entry[i]) &&
			take(q, list->entry[i].number) == STEP_STUCK)
			return;
}

/* Names are in the encoding of the source: that of the first manifest that can be read. */
static void set_encoding(struct queue *q, const struct spool_list *list)
{
	apply_encoding(q->apply, NULL);
	for (size_t i = 0; i < list->count && list->entry[i].kind == SPOOL_BATCH; i++) {
		struct batch b;
		char *why = NULL;

		if (batch_open(&b, q->dir, SPOOL_BATCH, list->entry[i].number, &why) ==
			BATCH_GOOD) {
			apply_encoding(q->apply, &b.manifest);
			batch_close(&b);
			return;
		}
		free(why);
	}
}

enum die_status queue_run(struct apply *a, const struct found *where)
{
	struct queue q = {.apply = a, .where = where, .dir = &where->dir};
	bool renamed = a->options->tables.count == 1;
	struct spool_list list;

	find_table(where, &q.table);
	if (!spool_lock(q.dir))
		die(DIE_NOT_NOW, "let it end, then run this one again",
			"\"%s\" is locked by another run", q.dir->path);
	spool_list(q.dir, &list);
	tidy(&q, &list);
	if (list.count > 0 && list.entry[0].kind == SPOOL_BATCH) {
		if (!renamed)
			set_encoding(&q, &list);
		target_find(
			a->conn, renamed ? &a->options->tables.name[0] : &q.table, &a->target);
		take_all(&q, &list);
		target_free(&a->target);
	}
	spool_list_free(&list);
	name_free(&q.table);
	return q.status;
}
