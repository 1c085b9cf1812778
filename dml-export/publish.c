#include "publish.h"

#include "tracking.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void discard_all(struct run *run)
{
	for (size_t i = 0; i < run->chains; i++)
		if (run->chain[i].due)
			stage_discard(&run->chain[i].dir, run->number);
}

/* A standby, or another server altogether, may answer now, and has not what was committed. */
static void expect_same_source(const struct run *run)
{
	struct run now = {.conn = run->conn};
	PGresult *res = pg_query_row(
		run->conn, "SELECT pg_catalog.pg_is_in_recovery() AS standby", 0, NULL);
	bool same = !pg_bool(res, 0, "standby");

	if (same) {
		run_take_source(&now);
		same = strcmp(now.source.lineage_begin, run->source.lineage_begin) == 0;
	}
	if (!same)
		die(DIE_AGAIN, "run it again, connected to the server that it was begun on",
			"another server or database answers now: what became of batch %" PRIu64
			" is not known yet",
			run->number);
	run_free_source(&now.source);
	PQclear(res);
}

/*
 * The old session's advisory locks go when its transaction has ended; until they are ours, it
 * may still commit.
 */
static void look(struct run *run)
{
	pg_disconnect(run->conn);
	warn("the connection was lost at COMMIT; connecting again to see what became of it");
	run->conn = pg_connect(&run->options->pg);
	expect_same_source(run);
	tracking_await(run);
	tracking_lock(run);
	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (!c->due || c->dropped)
			continue;
		if (!tracking_knows(run->conn, c, run->number, c->manifest.seal)) {
			complain("run it again", "%s for %s: batch %" PRIu64 " was rolled back",
				c->table->label, c->target->text, run->number);
			stage_discard(&c->dir, run->number);
			c->due = false;
			run->status = die_worst(run->status, DIE_AGAIN);
		}
	}
}

bool publish_commit(struct run *run)
{
	enum die_status status;

	/* From here on only the database knows whether the batches count. */
	stage_keep_all();
	switch (pg_commit(run->conn, &status)) {
	case PG_COMMITTED:
		return true;
	case PG_ROLLED_BACK:
		discard_all(run);
		run->status = die_worst(run->status, status);
		return false;
	case PG_UNKNOWN:
		look(run);
		return true;
	}
	return false;
}

void publish(struct run *run, const struct chain *c, uint64_t number)
{
	char name[SPOOL_NAME_MAX];
	char *line;

	spool_name(name, SPOOL_BATCH, number);
	if (!stage_publish(&c->dir, number)) {
		complain("look what it is, move it out of the spool, then run this again",
			"\"%s/%s\" is in the way of a batch of the same number", c->dir.path,
			name);
		run->status = die_worst(run->status, DIE_PERSON);
		return;
	}
	line = mem_format("%s/%s\n", c->dir.path, name);
	if (!io_write_try(STDOUT_FILENO, line, strlen(line))) {
		complain("the batch is there all the same; only its report was lost",
			"cannot write to standard output: %s", strerror(errno));
		run->status = die_worst(run->status, DIE_AGAIN);
	}
	free(line);
}

void publish_all(struct run *run)
{
	for (size_t i = 0; i < run->chains; i++)
		if (run->chain[i].due && !run->chain[i].dropped)
			publish(run, &run->chain[i], run->number);
}
