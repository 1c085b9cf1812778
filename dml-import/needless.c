#include "needless.h"

#include "ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* True if `m` was made by the same source, for the same target, before `full` was. */
static bool is_forerunner(const struct manifest *m, const struct manifest *full)
{
	return manifest_same_source(&m->source, &full->source) &&
	       strcmp(m->target, full->target) == 0 &&
	       manifest_is_later(manifest_moment(full), manifest_moment(m));
}

/* True if with a full batch that --accept-source lets in the table leaves the source of `m`, or
 * the time that `m` is of, for good. */
static bool is_abandoned(
	const struct manifest *m, const struct manifest *full, const struct ledger *ledger)
{
	return strcmp(m->chain, ledger->chain) == 0 ||
	       (manifest_same_source(&m->source, &ledger->source) &&
		       !manifest_same_source(&full->source, &ledger->source));
}

/* The arrays, as they grow. */
struct lists {
	struct buf chains, numbers, bases, seals;
};

static void add(struct lists *l, const struct manifest *m)
{
	const char *comma = l->chains.len > 0 ? "," : "";

	buf_format(&l->chains, "%s%s", comma, m->chain);
	buf_format(&l->numbers, "%s%" PRIu64, comma, m->number);
	buf_format(&l->bases, "%s%" PRIu64, comma, m->base);
	buf_format(&l->seals, "%s%s", comma, m->seal);
}

static char *array_of(struct buf *list)
{
	char *array = mem_format("{%s}", buf_text(list));

	buf_free(list);
	return array;
}

static bool is_needless(const struct manifest *m, const struct manifest *full, bool accepted,
	const struct ledger *ledger)
{
	return is_forerunner(m, full) || (accepted && is_abandoned(m, full, ledger));
}

void needless_find(struct ledger_needless *needless, const struct apply *a,
	const struct found *where, const struct spool_list *list, uint64_t full, bool accepted)
{
	struct lists lists = {0};
	struct batch f, b;
	struct ledger ledger;

	if (batch_peek(&f, &where->dir, full) != BATCH_GOOD)
		return;
	ledger_load(a->conn, a->target.oid, &f.manifest, &ledger);
	for (const struct spool_entry *e = list->entry; e < list->entry + list->count; e++) {
		if (e->kind != SPOOL_BATCH || !find_means(where, e->number) ||
			batch_peek(&b, &where->dir, e->number) != BATCH_GOOD)
			continue;
		if (is_needless(&b.manifest, &f.manifest, accepted, &ledger))
			add(&lists, &b.manifest);
		batch_close(&b);
	}
	*needless = (struct ledger_needless){.chains = array_of(&lists.chains),
		.numbers = array_of(&lists.numbers),
		.bases = array_of(&lists.bases),
		.seals = array_of(&lists.seals)};
	ledger_free(&ledger);
	batch_close(&f);
}

void needless_free(struct ledger_needless *needless)
{
	free(needless->chains);
	free(needless->numbers);
	free(needless->bases);
	free(needless->seals);
	*needless = (struct ledger_needless){0};
}
