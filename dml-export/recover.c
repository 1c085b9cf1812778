#include "recover.h"

#include "batch.h"
#include "publish.h"
#include "tracking.h"

#include <stdlib.h>
#include <string.h>

static void decide(struct run *run, const struct chain *c, const struct spool_entry *entry)
{
	struct batch batch;
	char *why = NULL;
	bool committed = false;

	/* A stage that was committed is whole: it was made durable before. */
	if (batch_open(&batch, &c->dir, SPOOL_STAGE, entry->number, &why) == BATCH_GOOD) {
		const struct manifest_source *s = &batch.manifest.source;

		if (strcmp(s->system, run->source.id.system) != 0 ||
			strcmp(s->database, run->source.id.database) != 0) {
			warn("leaving \"%s/%s\" alone: it comes from database \"%s\" of "
			     "cluster %s",
				c->dir.path, entry->name, s->database, s->system);
			batch_close(&batch);
			return;
		}
		committed = tracking_knows(run->conn, c, entry->number, batch.manifest.seal);
		batch_close(&batch);
	}
	free(why);
	if (committed) {
		note("publishing batch %llu, which the last run had committed",
			(unsigned long long)entry->number);
		publish(run, c, entry->number);
	} else {
		stage_discard(&c->dir, entry->number);
	}
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
