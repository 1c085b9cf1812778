#include "export.h"

#include "changes.h"
#include "collation.h"
#include "describe.h"
#include "lock.h"
#include "make.h"
#include "publish.h"
#include "purge.h"
#include "recover.h"
#include "run.h"
#include "tracking.h"

#include <stdlib.h>

static void connect_and_resolve(struct run *run)
{
	const struct options *o = run->options;

	run->conn = pg_connect(&o->pg);
	source_expect_installed(run->conn, o, OWN_WRITE);
	source_resolve(run->conn, o, SOURCE_TRACKED, &run->tables);
	source_expect_shadows(&run->tables);
	run->chains = run->tables.count * o->targets.count;
	run->chain = mem_zero(run->chains, sizeof *run->chain);
	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		c->table = &run->tables.table[i / o->targets.count];
		c->target = &o->targets.label[i % o->targets.count];
		c->dropped = c->table->refused;
		c->dir.fd = -1;
	}
}

/* The spool's lock keeps out another run in this spool. */
static enum die_status enter_table(struct chain *c, const struct spool_dir *target)
{
	enum die_status status = spool_enter_table(target, &c->table->name, &c->dir);

	if (status == DIE_DONE && !spool_lock(&c->dir)) {
		complain("let it end, then run this one again",
			"\"%s\" is locked by another run", c->dir.path);
		status = DIE_NOT_NOW;
	}
	return status;
}

/* The chains of one target, of which `first` is the first. */
static void enter_target(struct run *run, size_t first)
{
	struct spool_dir target;
	enum die_status status =
		spool_enter_target(&run->spool, run->chain[first].target, &target);
	bool entered = status == DIE_DONE;

	for (size_t i = first; i < run->chains; i += run->options->targets.count) {
		struct chain *c = &run->chain[i];

		if (c->dropped)
			continue;
		if (entered)
			status = enter_table(c, &target);
		c->dropped = status != DIE_DONE;
		run->status = die_worst(run->status, status);
	}
	if (!entered)
		return;
	io_sync(target.fd, target.path);
	spool_close(&target);
}

static bool has_chains(const struct run *run)
{
	for (size_t i = 0; i < run->chains; i++)
		if (!run->chain[i].dropped)
			return true;
	return false;
}

/* Step 1, in the spool, and in the server, where it keeps out another run elsewhere. */
static void take_locks(struct run *run)
{
	if (!has_chains(run))
		return;
	for (size_t k = 0; k < run->options->targets.count; k++)
		enter_target(run, k);
	tracking_lock(run);
}

/* A table that no chain is left of need not be locked and looked at. */
static void refuse_left_out(struct run *run)
{
	size_t targets = run->options->targets.count;

	for (size_t i = 0; i < run->tables.count; i++) {
		const struct chain *c = &run->chain[i * targets];
		size_t left_out = 0;

		while (left_out < targets && c[left_out].dropped)
			left_out++;
		if (left_out == targets)
			run->tables.table[i].refused = true;
	}
}

static void drop_refused(struct run *run)
{
	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		c->dropped |= c->table->refused;
		c->due &= !c->dropped;
	}
}

/*
 * A run whose last fsync failed may have left a rename that isn't durable.  The run after it
 * syncs again what was published last; in directories of older batches nothing has happened
 * since, or a later batch was staged, which syncs them too.
 */
static void sync_last(const struct run *run)
{
	uint64_t last = 0;

	for (size_t i = 0; i < run->chains; i++)
		if (run->chain[i].known && run->chain[i].number > last)
			last = run->chain[i].number;
	for (size_t i = 0; i < run->chains; i++) {
		const struct chain *c = &run->chain[i];

		if (!c->dropped && c->known && c->number == last)
			io_sync(c->dir.fd, c->dir.path);
	}
}

/* Step 3.  What the catalogue says of the tables counts only when nobody can change it any
 * more. */
static void open_snapshot(struct run *run)
{
	lock_tables(run, changes_settings);
	run_take_source(run);
	describe_tables(run->conn, &run->tables);
	drop_refused(run);
	tracking_load(run);
}

/* What only a batch needs of its table is looked at when it is to be made. */
static void find_changes(struct run *run)
{
	size_t targets = run->options->targets.count;
	bool *due = mem_zero(run->tables.count, sizeof *due);
	bool *by_key = mem_zero(run->tables.count, sizeof *by_key);

	changes_find(run);
	for (size_t i = 0; i < run->chains; i++) {
		due[i / targets] |= run->chain[i].due;
		by_key[i / targets] |= run->chain[i].due && run->chain[i].full == NULL;
	}
	describe_closer(run->conn, &run->tables, due);
	collation_expect_fresh(run->conn, &run->tables, by_key);
	drop_refused(run);
	free(by_key);
	free(due);
}

/* Step 9.  A lock on what it deletes from is no failure: the purge after the next batch will
 * do. */
static void purge_exported(struct run *run, const struct source_table *t)
{
	enum die_status status = purge_table(run->conn, t->oid, t->label);

	if (status == DIE_NOT_NOW)
		warn("purge of %s: not now, for " PURGE_LOCKED "; the next batch's run does it",
			t->label);
	else
		run->status = die_worst(run->status, status);
}

static void purge(struct run *run)
{
	char *oids = source_oids(&run->tables);
	bool allowed =
		purge_allow(run->conn, &run->options->pg, oids, run->tables.table[0].label);

	free(oids);
	if (!allowed)
		run->status = die_worst(run->status, DIE_PERSON);
	for (size_t i = 0; allowed && i < run->tables.count; i++) {
		const struct source_table *t = &run->tables.table[i];
		bool exported = false;

		for (size_t k = 0; k < run->chains; k++)
			exported |= run->chain[k].due && run->chain[k].table == t;
		if (exported && PQstatus(run->conn) == CONNECTION_OK)
			purge_exported(run, t);
	}
}

enum die_status export_run(const struct options *options)
{
	struct run run = {.options = options, .rights = {.options = &options->pg}};

	spool_allow_many();
	spool_open(&run.spool, options->spool);
	connect_and_resolve(&run);
	take_locks(&run);
	recover(&run);
	refuse_left_out(&run);
	open_snapshot(&run);
	sync_last(&run);
	find_changes(&run);
	if (run_has_work(&run)) {
		make_batches(&run);
		if (publish_commit(&run)) {
			publish_all(&run);
			purge(&run);
		}
	} else {
		pg_exec(run.conn, "COMMIT", "COMMIT");
	}
	tracking_unlock(&run);
	pg_disconnect(run.conn);
	return die_worst(run.status, run.tables.status);
}
