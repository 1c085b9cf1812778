#include "explain.h"

#include "command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *unopened_hint(enum batch_state state, bool is_old)
{
	switch (state) {
	case BATCH_NEWER:
		return is_old ? "install a newer dml-import; if nothing ships it any more, "
				"remove it"
			      : "install a newer dml-import";
	case BATCH_REFUSED:
		return is_old ? "ship it again from its source, with rsync --checksum; "
				"if nothing ships it any more, remove it"
			      : IO_SHIP_AGAIN;
	default:
		return is_old ? "run this again when shipping is done; if nothing ships it any "
				"more, remove it"
			      : "run this again when shipping is done; ship it again if it is; "
				"if its source has it no more, export all rows with "
				"dml-export --full, and if it is told still, remove it";
	}
}

enum die_status explain_unopened(const struct spool_dir *table, uint64_t number,
	enum batch_state state, const char *why, bool is_old)
{
	bool is_refused = state == BATCH_REFUSED || state == BATCH_NEWER;
	char name[SPOOL_NAME_MAX];

	spool_name(name, SPOOL_BATCH, number);
	if (is_refused)
		complain(unopened_hint(state, is_old), "\"%s/%s\" is refused: %s", table->path,
			name, why);
	else
		complain(unopened_hint(state, is_old), "\"%s/%s\" is not all here", table->path,
			name);
	return is_refused ? DIE_PERSON : DIE_NOT_NOW;
}

void explain_table(const struct batch *b)
{
	struct buf named = {0};

	name_to_sql(&named, &b->manifest.table);
	complain("move it to the directory of its table, or remove it",
		"\"%s\" holds a batch of table %s", b->dir.path, named.data);
	buf_free(&named);
}

/* The source's name of a table, as the ledger holds it. */
static void add_origin(struct buf *b, const char *record)
{
	struct name name = {0};

	if (name_from_record(record, &name))
		name_to_sql(b, &name);
	else
		buf_string(b, record);
	name_free(&name);
}

/* How a hint begins where -t names another table than the batch: it may lie right, and -t be
 * wrong.  The caller frees it. */
static char *doubt_of_option(
	const struct apply *a, const struct spool_dir *table, const struct batch *b)
{
	if (a->options->tables.count == 0 || name_equal(&a->target.name, &b->manifest.table))
		return mem_string("");
	return mem_format(
		"leave out -t, if \"%s\" is not meant for %s; ", table->path, a->target.label);
}

/* What to do with a foreign batch; the caller frees it. */
static char *foreign_hint(const struct batch *b, const struct ledger *l, bool other_target,
	const char *doubt, const char *full, const char *accept)
{
	bool begins = b->manifest.scope == SCOPE_FULL;

	if (other_target && begins)
		return mem_format("ship each target's batches to where that one is imported, "
				  "and remove it here; if %s was given the name %s: %s",
			l->target, b->manifest.target, accept);
	if (other_target)
		return mem_string("ship each target's batches to where that one is imported, "
				  "and remove it here, and those that build on it");
	if (begins)
		return mem_format("%sif the source was moved or renamed, take it by: %s; if it "
				  "came here by mistake, move it out of the spool",
			doubt, accept);
	return mem_format(
		"%sif it came here by mistake, move it out of the spool, and those that "
		"build on it; if the source was moved or renamed, run on it: %s; and "
		"take that with --accept-source",
		doubt, full);
}

static void explain_foreign(const char *label, const struct batch *b, const struct ledger *l,
	const char *doubt, const char *full, const char *accept)
{
	const struct manifest *m = &b->manifest;
	struct buf table = {0}, origin = {0};
	bool same_source = manifest_same_source(&m->source, &l->source);
	char *hint;

	name_to_sql(&table, &m->table);
	add_origin(&origin, l->origin);
	hint = foreign_hint(
		b, l, same_source && strcmp(table.data, origin.data) == 0, doubt, full, accept);
	complain(hint,
		"%s: \"%s\" is of table %s, from database \"%s\" of cluster %s, for %s; what "
		"was applied here was of %s, from \"%s\" of %s, for %s",
		label, b->dir.path, table.data, m->source.database, m->source.system, m->target,
		origin.data, l->source.database, l->source.system, l->target);
	free(hint);
	buf_free(&table);
	buf_free(&origin);
}

static void explain_headless(const char *label, const struct batch *b, bool older,
	const char *doubt, const char *full)
{
	char *hint = mem_format("%s%sship it; if it is lost, run on the source: %s", doubt,
		older ? "it is older than what was applied, and if it only came late, remove "
			"it; else "
		      : "",
		full);

	complain(hint,
		"%s: \"%s\" belongs to a chain whose first batch never came: it builds on "
		"batch %" PRIu64 ", which is missing",
		label, b->dir.path, b->manifest.base);
	free(hint);
}

void explain_verdict(const struct apply *a, const struct spool_dir *table,
	const struct batch *b, const struct ledger *l, enum verdict result)
{
	const struct manifest *m = &b->manifest;
	const char *label = a->target.label;
	char *full = command_full(m);
	char *accept = command_accept(a->options, table);
	char *doubt = doubt_of_option(a, table, b);
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
		explain_headless(label, b, l->known && verdict_is_earlier(m, l), doubt, full);
		break;
	case VERDICT_FORK:
		hint = mem_format(
			"%stwo copies of the source go on under one name, or it was set "
			"back: choose one; run there: %s; remove this batch and all others "
			"from the other; and if what is exported then is older than what was "
			"applied, take it by --accept-source",
			l->retired
				? "it may only have come late, or its source be gone for good: "
				  "then remove it; else "
				: "",
			full);
		complain(hint,
			"%s: \"%s\" does not build on batch %" PRIu64
			", which was applied here",
			label, b->dir.path, l->number);
		break;
	case VERDICT_STALE:
		hint = mem_format("if the source was set back, take it by: %s; if it came late "
				  "or by mistake, move it out of the spool, and what "
				  "builds on it",
			accept);
		complain(hint,
			"%s: \"%s\" begins a new chain, but is older than batch %" PRIu64
			", which was applied here",
			label, b->dir.path, l->number);
		break;
	case VERDICT_FOREIGN:
		explain_foreign(label, b, l, doubt, full, accept);
		break;
	case VERDICT_MISFIT: /* told already */
	case VERDICT_POSTPONED:
	case VERDICT_APPLY:
	case VERDICT_DONE:
		break;
	}
	free(hint);
	free(doubt);
	free(accept);
	free(full);
}
