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

static void add(const struct manifest *m, struct buf *chains, struct buf *numbers)
{
	const char *comma = chains->len > 0 ? "," : "";

	buf_format(chains, "%s%s", comma, m->chain);
	buf_format(numbers, "%s%" PRIu64, comma, m->number);
}

static bool is_needless(const struct manifest *m, const struct manifest *full, bool accepted,
	const struct ledger *ledger)
{
	return is_forerunner(m, full) || (accepted && is_abandoned(m, full, ledger));
}

void needless_find(struct apply_terms *terms, const struct apply *a, const struct found *where,
	const struct spool_list *list, uint64_t full, bool accepted)
{
	struct buf chains = {0}, numbers = {0};
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
			add(&b.manifest, &chains, &numbers);
		batch_close(&b);
	}
	terms->needless_chains = mem_format("{%s}", buf_text(&chains));
	terms->needless_numbers = mem_format("{%s}", buf_text(&numbers));
	ledger_free(&ledger);
	batch_close(&f);
	buf_free(&chains);
	buf_free(&numbers);
}

void needless_free(struct apply_terms *terms)
{
	free(terms->needless_chains);
	free(terms->needless_numbers);
	terms->needless_chains = terms->needless_numbers = NULL;
}
