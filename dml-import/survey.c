#include "survey.h"

#include "batch.h"
#include "encoding.h"
#include "ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct survey {
	struct waiting *w;
	PGconn *conn;
	const struct found *where;
	const struct name *name;
	const char *relation;
	/* The last of the batches whose turn has come: as if it were applied already. */
	bool has_last;
	struct batch last;
};

static enum verdict judge_after(
	const struct manifest *m, const struct manifest *last, struct ledger ledger)
{
	struct buf origin = {0};
	enum verdict result;
	uint64_t xmin;

	name_to_record(&origin, &last->table);
	ledger.known = true;
	ledger.target = last->target;
	ledger.origin = origin.data;
	ledger.number = last->number;
	ledger.source = last->source;
	memcpy(ledger.chain, last->chain, sizeof ledger.chain);
	memcpy(ledger.seal, last->seal, sizeof ledger.seal);
	manifest_snapshot_bounds(last->snapshot, &xmin, &ledger.xmax);
	result = verdict(m, &ledger, false);
	buf_free(&origin);
	return result;
}

static enum verdict judge(const struct survey *s, const struct manifest *m)
{
	struct ledger ledger = {0};
	enum verdict result;

	if (*s->relation != '\0')
		ledger_load(s->conn, s->relation, m, &ledger);
	result = s->has_last ? judge_after(m, &s->last.manifest, ledger)
			     : verdict(m, &ledger, false);
	ledger_free(&ledger);
	return result;
}

static char *note_of(const struct manifest *m, enum verdict result)
{
	switch (result) {
	case VERDICT_GAP:
		return mem_format("batch %" PRIu64 " is missing", m->base);
	case VERDICT_HEADLESS:
		return mem_format("batch %" PRIu64
				  " is missing, and its chain's first never came",
			m->base);
	case VERDICT_FORK:
		return mem_format(
			"batch %" PRIu64 " does not build on what was applied", m->number);
	case VERDICT_STALE:
		return mem_format(
			"batch %" PRIu64 " is older than what was applied", m->number);
	case VERDICT_FOREIGN:
		return mem_format(
			"batch %" PRIu64 " is of another source, table or target", m->number);
	case VERDICT_MISFIT:
	case VERDICT_POSTPONED:
	case VERDICT_APPLY:
	case VERDICT_DONE:
		break;
	}
	return NULL;
}

/* Takes the note over; the first one stays. */
static void add_note(struct waiting *w, char *note)
{
	if (w->note == NULL)
		w->note = note;
	else
		free(note);
}

/* Takes the batch over. */
static void take(struct survey *s, struct batch *b)
{
	enum verdict result;

	if (!name_equal(&b->manifest.table, s->name)) {
		s->w->batches++;
		add_note(s->w, mem_format("batch %" PRIu64 " is of another table", b->number));
		batch_close(b);
		return;
	}
	result = judge(s, &b->manifest);
	s->w->batches += result != VERDICT_DONE;
	add_note(s->w, note_of(&b->manifest, result));
	if (result != VERDICT_APPLY) {
		batch_close(b);
		return;
	}
	if (s->has_last)
		batch_close(&s->last);
	s->last = *b;
	s->has_last = true;
}

/* One that is not all here or refused, but for what was applied: its manifest tells, while a
 * number may be counted again. */
static void take_unready(struct survey *s, uint64_t number)
{
	struct batch b;
	char *why = NULL;
	bool done = false;

	if (batch_open_manifest(&b, &s->where->dir, SPOOL_BATCH, number, &why) == BATCH_GOOD) {
		done = judge(s, &b.manifest) == VERDICT_DONE;
		batch_close(&b);
	}
	free(why);
	s->w->unready += !done;
}

/* Batches stand first. */
static size_t count_batches(const struct spool_list *list)
{
	size_t n = 0;

	while (n < list->count && list->entry[n].kind == SPOOL_BATCH)
		n++;
	return n;
}

/* The place of the last batch with all rows that could be applied now: it comes first.  Or 0.
 */
static size_t find_full(const struct survey *s, const struct spool_list *list, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		struct batch b;
		bool good;

		if (batch_peek(&b, &s->where->dir, list->entry[i].number) != BATCH_GOOD)
			continue;
		good = b.manifest.scope == SCOPE_FULL &&
		       name_equal(&b.manifest.table, s->name) &&
		       judge(s, &b.manifest) == VERDICT_APPLY;
		batch_close(&b);
		if (good)
			return i;
	}
	return 0;
}

/* Those that a full batch makes needless wait only to be removed. */
static void count_needless(struct survey *s, const struct spool_entry *e)
{
	struct batch b;

	if (batch_peek(&b, &s->where->dir, e->number) != BATCH_GOOD)
		return;
	s->w->batches += judge(s, &b.manifest) != VERDICT_DONE;
	batch_close(&b);
}

void survey(struct waiting *w, PGconn *conn, const struct found *where, const struct name *name,
	const char *relation)
{
	struct survey s = {
		.w = w, .conn = conn, .where = where, .name = name, .relation = relation};
	struct spool_list list;
	size_t count, full;

	spool_list(&where->dir, &list);
	count = count_batches(&list);
	full = find_full(&s, &list, count);
	for (size_t i = 0; i < full; i++)
		count_needless(&s, &list.entry[i]);
	for (size_t i = full; i < count; i++) {
		struct batch b;
		enum batch_state state = batch_peek(&b, &where->dir, list.entry[i].number);

		if (state == BATCH_GOOD)
			take(&s, &b);
		else if (state != BATCH_GONE)
			take_unready(&s, list.entry[i].number);
	}
	if (s.has_last)
		batch_close(&s.last);
	spool_list_free(&list);
}

void survey_encoding(PGconn *conn, const struct found *where)
{
	struct spool_list list;
	char *encoding;

	spool_list(&where->dir, &list);
	encoding = encoding_of(&where->dir, &list);
	/* Where that can't be converted from, the name is just no table's here. */
	if (!encoding_try(conn, encoding))
		(void)encoding_try(conn, NULL);
	free(encoding);
	spool_list_free(&list);
}
