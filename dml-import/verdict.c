#include "verdict.h"

#include <string.h>

/* A number that the batch's chain has passed here. */
static enum verdict of_the_past(const struct manifest *m, const struct ledger *l)
{
	if (l->has_next && l->next_number == m->number)
		return strcmp(l->next_seal, m->seal) == 0 ? VERDICT_DONE : VERDICT_FORK;
	/* Else a full batch came over it, which builds on this one or on a later one. */
	if (l->has_next && l->next_base < m->number)
		return VERDICT_FORK;
	return l->after ? VERDICT_FORK : VERDICT_DONE;
}

static enum verdict of_this_chain(const struct manifest *m, const struct ledger *l)
{
	if (m->number == l->number)
		return strcmp(m->seal, l->seal) == 0 ? VERDICT_DONE : VERDICT_FORK;
	if (m->number < l->number)
		return of_the_past(m, l);
	if (m->base < l->number)
		return VERDICT_FORK;
	if (m->base == l->number)
		return strcmp(m->base_seal, l->seal) == 0 ? VERDICT_APPLY : VERDICT_FORK;
	return m->scope == SCOPE_FULL ? VERDICT_APPLY : VERDICT_GAP;
}

static struct manifest_moment applied_last(const struct ledger *l)
{
	return (struct manifest_moment){l->source.timeline, l->xmax};
}

bool verdict_is_later(const struct manifest *m, const struct ledger *l)
{
	return manifest_is_later(manifest_moment(m), applied_last(l));
}

bool verdict_is_earlier(const struct manifest *m, const struct ledger *l)
{
	return manifest_is_later(applied_last(l), manifest_moment(m));
}

/*
 * A source that goes on with a chain that it had ended was set back in time, or there are two
 * of it: a primary that a failover left behind may still live and take rows.
 */
static enum verdict of_a_retired_chain(const struct manifest *m, const struct ledger *l)
{
	return m->number <= l->retired_number ? of_the_past(m, l) : VERDICT_FORK;
}

static bool is_same_table(const struct manifest *m, const struct ledger *l)
{
	struct buf record = {0};
	bool same;

	name_to_record(&record, &m->table);
	same = strcmp(record.data, l->origin) == 0;
	buf_free(&record);
	return same;
}

static bool is_foreign(const struct manifest *m, const struct ledger *l)
{
	return !manifest_same_source(&m->source, &l->source) ||
	       strcmp(m->target, l->target) != 0 || !is_same_table(m, l);
}

bool verdict_goes_on(const struct manifest *m, const struct ledger *l)
{
	return l->known && strcmp(m->chain, l->chain) == 0;
}

enum verdict verdict(const struct manifest *m, const struct ledger *l, bool accept_source)
{
	if (l->retired)
		return of_a_retired_chain(m, l);
	if (verdict_goes_on(m, l))
		return of_this_chain(m, l);
	if (l->known && !accept_source && is_foreign(m, l))
		return VERDICT_FOREIGN;
	if (m->scope != SCOPE_FULL)
		return VERDICT_HEADLESS;
	if (!l->known || accept_source)
		return VERDICT_APPLY;
	return verdict_is_later(m, l) ? VERDICT_APPLY : VERDICT_STALE;
}
