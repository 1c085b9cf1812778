#include "recover.h"

#include "batch.h"
#include "publish.h"
#include "tracking.h"

#include <stdlib.h>
#include <string.h>

/* Also if the database was renamed since. */
static bool is_of_this_source(
	const struct run *run, const struct chain *c, const struct manifest *m)
{
	return strcmp(m->source.system, run->source.id.system) == 0 &&
	       (strcmp(m->source.database, run->source.id.database) == 0 ||
		       tracking_was_called(run->conn, c, m));
}

/* A stage that was committed is whole, for it was made durable before.  If it is not, the disk
 * or somebody damaged it. */
static void damaged(struct run *run, struct chain *c, const struct spool_entry *entry)
{
	if (run->options->full || !tracking_knows_number(run->conn, c, entry->number)) {
		stage_discard(&c->dir, entry->number);
		return;
	}
	complain("run this again with --full",
		"\"%s/%s\" was committed, but is damaged: batch %llu is lost", c->dir.path,
		entry->name, (unsigned long long)entry->number);
	c->dropped = true;
	run->status = die_worst(run->status, DIE_PERSON);
}

static void decide(struct run *run, struct chain *c, const struct spool_entry *entry)
{
	struct batch batch;
	char *why = NULL;

	if (run->source.snapshot == NULL)
		run_take_source(run);
	if (batch_open(&batch, &c->dir, SPOOL_STAGE, entry->number, &why) != BATCH_GOOD) {
		damaged(run, c, entry);
	} else if (tracking_knows(run->conn, c, entry->number, batch.manifest.seal)) {
		batch_close(&batch); /* committed, whatever the database was called then */
		publish(run, c, entry->number);
	} else if (!is_of_this_source(run, c, &batch.manifest)) {
		warn("leaving \"%s/%s\" alone: it comes from database \"%s\" of cluster %s; "
		     "if that is no more, remove it",
			c->dir.path, entry->name, batch.manifest.source.database,
			batch.manifest.source.system);
		batch_close(&batch);
	} else {
		batch_close(&batch);
		stage_discard(&c->dir, entry->number);
	}
	free(why);
}

void recover(struct run *run)
{
	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];
		struct spool_list list;

		if (c->dropped)
			continue;
		spool_list(&c->dir, &list);
		for (size_t k = 0; k < list.count; k++)
			if (list.entry[k].kind == SPOOL_STAGE)
				decide(run, c, &list.entry[k]);
		spool_list_free(&list);
	}
}
