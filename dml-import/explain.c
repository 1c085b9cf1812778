#include "explain.h"

#include <inttypes.h>
#include <stdlib.h>

enum die_status explain_unopened(
	const struct spool_dir *table, uint64_t number, enum batch_state state, const char *why)
{
	char name[SPOOL_NAME_MAX];

	spool_name(name, SPOOL_BATCH, number);
	if (state == BATCH_REFUSED) {
		complain("ship it again from its source, with rsync --checksum",
			"\"%s/%s\" is refused: %s", table->path, name, why);
		return DIE_PERSON;
	}
	complain("run this again when shipping is done; ship it again if it is",
		"\"%s/%s\" is not all here", table->path, name);
	return DIE_NOT_NOW;
}

void explain_table(const struct batch *b)
{
	struct buf named = {0};

	name_to_sql(&named, &b->manifest.table);
	complain("move it to the directory of its table, or remove it",
		"\"%s\" holds a batch of table %s", b->dir.path, named.data);
	buf_free(&named);
}

/* How to have all rows again; the caller frees it. */
static char *full_command(const struct manifest *m)
{
	struct buf b = {0}, table = {0};

	name_to_sql(&table, &m->table);
	buf_string(&b, "dml-export --full -t '");
	for (const char *p = table.data; *p != '\0'; p++)
		buf_string(&b, *p == '\'' ? "'\\''" : (const char[]){*p, '\0'});
	buf_format(&b, "' -T %s SPOOL", m->target);
	buf_free(&table);
	return b.data;
}

void explain_verdict(const struct apply *a, const struct batch *b, const struct ledger *l,
	enum verdict result)
{
	const struct manifest *m = &b->manifest;
	const char *label = a->target.label;
	char *full = full_command(m);
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
			"%stwo copies of the source go on under one name, or it was set "
			"back: decide for one, run on it: %s; and remove the other's",
			l->retired ? "it may only have come late: then remove it; else " : "",
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
		complain("if the source was moved or renamed, take it with --accept-source; "
			 "else "
			 "remove it",
			"%s: \"%s\" is of table %s.%s, from database \"%s\" of cluster %s, for "
			"%s; "
			"what was applied here was of %s, from \"%s\" of %s, for %s",
			label, b->dir.path, m->table.schema, m->table.table, m->source.database,
			m->source.system, m->target, l->origin, l->source.database,
			l->source.system, l->target);
		break;
	case VERDICT_MISFIT: /* told already */
	case VERDICT_APPLY:
	case VERDICT_DONE:
		break;
	}
	free(hint);
	free(full);
}
