#include "queue.h"

#include "encoding.h"
#include "explain.h"
#include "io.h"
#include "ledger.h"
#include "needless.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The queue of one directory. */
struct queue {
	struct apply *apply;
	const struct found *where;
	struct spool_dir dir; /* opened again: its lock ends with this queue, or this process */
	struct name table;    /* as the directory's name says */
	struct name given;    /* with -t, or of no name; in the encoding of the batches, too */
	struct buf beside; /* chains that have no place here, and of which nothing more is to be
			      said */
};

/* Step 3: what the spool holds never chooses what is written. */
static bool is_of_table(const struct queue *q, const struct batch *b)
{
	return name_equal(&b->manifest.table, &q->table) ||
	       (q->given.table != NULL && name_equal(&b->manifest.table, &q->given));
}

/* True if another stands in its place, which is to be judged anew, as are those behind it.  One
 * that can't be removed holds up nobody: what was applied is known. */
static bool remove_unless_kept(struct queue *q, const struct batch *b)
{
	enum die_status status = DIE_DONE;

	if (!q->apply->options->keep)
		status = batch_remove(&q->dir, b);
	workers_note(q->apply->workers, status);
	return status == DIE_NOT_NOW;
}

/* What the ledger knows of a batch that can't be opened, if its manifest can be read.  A number
 * tells nothing: they begin anew where tracking does. */
enum past { PAST_UNKNOWN, PAST_APPLIED, PAST_OVER };

/* It was applied, whatever has become of its files since: rsync may have been killed when it
 * had removed some of them at the source, and brought the rest again.  The caller closes `b`.
 */
static enum past look_back(struct queue *q, uint64_t number, struct batch *b)
{
	struct ledger l;
	char *why = NULL;
	enum past past = PAST_UNKNOWN;

	if (batch_open_manifest(b, &q->dir, SPOOL_BATCH, number, &why) == BATCH_GOOD) {
		ledger_load(q->apply->conn, q->apply->target.oid, &b->manifest, &l);
		if (is_of_table(q, b) && verdict(&b->manifest, &l, false) == VERDICT_DONE)
			past = PAST_APPLIED;
		else if (number < l.number && !l.after &&
			 (l.retired || verdict_goes_on(&b->manifest, &l)))
			past = PAST_OVER;
		ledger_free(&l);
	}
	free(why);
	return past;
}

/* Of a batch that can't be opened: true if it holds up those behind it.  It does not where the
 * table is past its number or its chain. */
static bool take_unopened(
	struct queue *q, uint64_t number, enum batch_state state, const char *why)
{
	uint64_t applied = ledger_number(q->apply->conn, q->apply->target.oid);
	struct batch b;
	enum past past = look_back(q, number, &b);
	char name[SPOOL_NAME_MAX];
	bool stuck = false;

	spool_name(name, SPOOL_BATCH, number);
	if (past == PAST_APPLIED)
		stuck = remove_unless_kept(q, &b);
	batch_close(&b);
	if (past == PAST_APPLIED)
		return stuck;
	if (past == PAST_OVER) {
		warn("ignoring \"%s/%s\", which is older than what was applied and %s: remove "
		     "it",
			q->dir.path, name, why != NULL ? why : "not all here");
		return false;
	}
	workers_note(q->apply->workers,
		explain_unopened(&q->dir, number, state, why, number <= applied));
	return number > applied;
}

/* True if what it builds on is here, but not all, which was told. */
static bool is_awaited(const struct queue *q, uint64_t base)
{
	struct batch b;
	enum batch_state state = batch_peek(&b, &q->dir, base);

	if (state == BATCH_GOOD)
		batch_close(&b);
	return state != BATCH_GOOD && state != BATCH_GONE && find_means(q->where, base);
}

/* Of changes of a chain that begins elsewhere: only the first are told; but not where a full
 * batch before them may still be on its way. */
static bool was_told(struct queue *q, const struct manifest *m)
{
	if (strstr(buf_text(&q->beside), m->chain) != NULL)
		return true;
	buf_string(&q->beside, m->chain);
	return is_awaited(q, m->base);
}

/* Tells why it is not applied; true if it holds up those behind it.  None that belongs here
 * builds on one of a chain that was replaced, or on changes of one that begins elsewhere. */
static bool explain(struct queue *q, const struct batch *b, const struct ledger *ledger,
	enum verdict result)
{
	bool elsewhere = result == VERDICT_FOREIGN && b->manifest.scope == SCOPE_CHANGES;

	if (result == VERDICT_HEADLESS && is_awaited(q, b->manifest.base))
		return true;
	if (elsewhere && was_told(q, &b->manifest))
		return false;
	explain_verdict(q->apply, &q->dir, b, ledger, result);
	workers_note(q->apply->workers, DIE_PERSON);
	return !elsewhere && !(result == VERDICT_FORK && ledger->retired);
}

/* Applies it; true if it can't be, and holds up those behind it. */
static bool take_open(struct queue *q, const struct batch *b, const struct apply_terms *terms)
{
	struct ledger ledger;
	enum verdict result;
	bool stuck;

	if (!is_of_table(q, b)) {
		explain_table(b);
		workers_note(q->apply->workers, DIE_PERSON);
		return true;
	}
	batch_warn_of_strangers(b);
	result = apply_batch(q->apply, b, terms, &ledger);
	if (result == VERDICT_APPLY || result == VERDICT_DONE)
		stuck = remove_unless_kept(q, b);
	else if (result == VERDICT_POSTPONED)
		stuck = true;
	else
		stuck = explain(q, b, &ledger, result);
	ledger_free(&ledger);
	return stuck;
}

/* Does with a batch what is to be done; true if it holds up those behind it. */
static bool take(struct queue *q, uint64_t number, const struct apply_terms *terms)
{
	struct batch b;
	char *why = NULL;
	enum batch_state state = batch_open(&b, &q->dir, SPOOL_BATCH, number, &why);
	bool stuck = false;

	if (state == BATCH_GOOD) {
		stuck = take_open(q, &b, terms);
		batch_close(&b);
	} else if (state != BATCH_GONE) {
		stuck = take_unopened(q, number, state, why);
	}
	free(why);
	return stuck;
}

static enum verdict judge(const struct queue *q, const struct batch *b, bool accept_source)
{
	return ledger_judge(q->apply->conn, q->apply->target.oid, &b->manifest, accept_source);
}

/* Could this batch, which holds all rows, be applied now: by itself, or only because
 * --accept-source was given? */
enum full_start { START_NONE, START_BY_ITSELF, START_BY_OPTION };

static enum full_start judge_start(const struct queue *q, uint64_t number)
{
	enum full_start start = START_NONE;
	struct batch b;

	if (batch_peek(&b, &q->dir, number) != BATCH_GOOD)
		return START_NONE;
	if (b.manifest.scope == SCOPE_FULL && is_of_table(q, &b)) {
		if (judge(q, &b, false) == VERDICT_APPLY)
			start = START_BY_ITSELF;
		else if (q->apply->options->accept_source &&
			 judge(q, &b, true) == VERDICT_APPLY)
			start = START_BY_OPTION;
	}
	batch_close(&b);
	return start;
}

/* True if its turn has come, or it is done. */
static bool is_due(struct queue *q, uint64_t number)
{
	struct batch b;
	enum batch_state state = batch_peek(&b, &q->dir, number);
	bool due = state == BATCH_GONE;

	if (state == BATCH_GOOD) {
		enum verdict result = is_of_table(q, &b) ? judge(q, &b, false) : VERDICT_GAP;

		due = result == VERDICT_APPLY || result == VERDICT_DONE;
		batch_close(&b);
	} else if (state != BATCH_GONE) {
		due = look_back(q, number, &b) == PAST_APPLIED;
		batch_close(&b);
	}
	return due;
}

static bool is_batch(const struct queue *q, const struct spool_entry *entry)
{
	return entry->kind == SPOOL_BATCH && find_means(q->where, entry->number);
}

static void tidy(struct queue *q, const struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->entry[i].kind == SPOOL_DONE)
			batch_remove_rest(&q->dir, list->entry[i].number);
	spool_warn_of_strangers(&q->dir, list);
}

/* The last batch with all rows that could be applied now. */
struct last_full {
	uint64_t number; /* 0: there is none */
	enum full_start start;
};

/* Whoever accepts a source means it rather than the one before. */
static struct last_full find_full(const struct queue *q, const struct spool_list *list)
{
	enum full_start best =
		q->apply->options->accept_source ? START_BY_OPTION : START_BY_ITSELF;
	struct last_full full = {0};

	for (size_t i = list->count; i-- > 0 && full.start < best;) {
		enum full_start start;

		if (!is_batch(q, &list->entry[i]))
			continue;
		start = judge_start(q, list->entry[i].number);
		if (start > full.start)
			full = (struct last_full){list->entry[i].number, start};
	}
	return full;
}

/* Applies the full batch, and ends the chains that it makes needless; true as take() has it. */
static bool take_full(
	struct queue *q, const struct spool_list *list, const struct last_full *full)
{
	struct apply_terms terms = {.accept_source = q->apply->options->accept_source};
	bool stuck;

	needless_find(&terms.needless, q->apply, q->where, list, full->number,
		full->start == START_BY_OPTION);
	stuck = take(q, full->number, &terms);
	needless_free(&terms.needless);
	return stuck;
}

/* Those before `end`, as far as each in its turn can be applied; nothing is said of the first
 * that can't: the full batch behind it heals that. */
static void take_due(struct queue *q, const struct spool_list *list, uint64_t end)
{
	const struct apply_terms terms = {.accept_source = q->apply->options->accept_source};

	for (size_t i = 0; i < list->count && list->entry[i].number < end; i++)
		if (is_batch(q, &list->entry[i]) &&
			(!is_due(q, list->entry[i].number) ||
				take(q, list->entry[i].number, &terms)))
			return;
}

static void take_in_order(
	struct queue *q, const struct spool_list *list, const struct apply_terms *terms)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_batch(q, &list->entry[i]) && take(q, list->entry[i].number, terms))
			return;
}

/*
 * In order.  A batch with all rows makes those before it needless, so the last one comes first:
 * what is missing, damaged or unfit before it holds up nobody.  They are then older than the
 * ledger, and removed as such.  Where the table can't take it, those before it still fit.
 */
static void take_all(struct queue *q, const struct spool_list *list)
{
	struct last_full full = find_full(q, list);
	/* That was said of one batch, not of what else lies here. */
	const struct apply_terms terms = {.accept_source = q->apply->options->accept_source &&
							   full.start != START_BY_OPTION};

	if (full.number > 0 && take_full(q, list, &full))
		take_due(q, list, full.number);
	else
		take_in_order(q, list, &terms);
}

/* The name that -t gives is in the database's encoding, and so is what is spoken meanwhile. */
static void take_given(struct queue *q, const char *encoding)
{
	const struct name *name = &q->apply->options->tables.name[0];
	PGconn *conn = q->apply->conn;
	bool converts = encoding != NULL && strcmp(encoding, "SQL_ASCII") != 0;

	encoding_set(conn, NULL);
	q->given.schema = converts ? encoding_convert(conn, name->schema, encoding)
				   : mem_string(name->schema);
	q->given.table = converts ? encoding_convert(conn, name->table, encoding)
				  : mem_string(name->table);
	encoding_set(conn, encoding);
}

/* Finds the table, speaking the encoding of its batches, as their directory's name does. */
static void find_target(struct queue *q, const struct spool_list *list)
{
	PGconn *conn = q->apply->conn;
	char *encoding = encoding_of(&q->dir, list);
	bool renamed = q->apply->options->tables.count == 1;

	/* First: where the server converts nothing from it, that says more than of what name.
	 */
	encoding_set(conn, encoding);
	if (renamed)
		take_given(q, encoding);
	free(encoding);
	target_find(conn, renamed ? &q->given : &q->table, &q->apply->target);
}

/* A batch that is applied but can't be removed would be in the way of the next, run after run.
 */
static void expect_removable(const struct queue *q)
{
	if (q->apply->options->keep || spool_may_rename(&q->dir))
		return;

	die_errno(io_status(errno), "use --keep, or check its owner, mode and file system",
		"cannot remove batches from \"%s\"", q->dir.path);
}

void queue_run(struct apply *a, const struct found *where)
{
	struct queue q = {.apply = a, .where = where};
	struct spool_list list;

	find_table(where, &q.table);
	spool_open_again(&where->dir, &q.dir);
	if (!spool_lock(&q.dir))
		die(DIE_NOT_NOW, "let it end, then run this one again",
			"\"%s\" is locked by another run", q.dir.path);
	spool_list(&q.dir, &list);
	if (list.count > 0 && list.entry[0].kind <= SPOOL_DONE)
		expect_removable(&q);
	tidy(&q, &list);
	if (list.count > 0 && list.entry[0].kind == SPOOL_BATCH) {
		find_target(&q, &list);
		take_all(&q, &list);
		target_free(&a->target);
	}
	spool_list_free(&list);
	spool_close(&q.dir);
	name_free(&q.table);
	name_free(&q.given);
	buf_free(&q.beside);
}
