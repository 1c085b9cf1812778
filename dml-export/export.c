#include "export.h"

#include "changes.h"
#include "publish.h"
#include "recover.h"
#include "run.h"
#include "tracking.h"

#include "source.sql.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

bool run_has_work(const struct run *run)
{
	for (size_t i = 0; i < run->chains; i++)
		if (run->chain[i].due)
			return true;
	return false;
}

char *run_what(const struct chain *c)
{
	return mem_format("%s for %s", c->table->label, c->target->text);
}

/* Each chain holds its directory open, for the lock on it. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void connect_and_resolve(struct run *run)
{
	const struct options *o = run->options;

	run->conn = pg_connect(&o->pg);
	source_expect_installed(run->conn);
	source_resolve(run->conn, &o->tables, SOURCE_TRACKED, &run->tables);
	source_describe(run->conn, &run->tables);
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

/* Step 1: the spool's lock keeps out another run in this spool, the server's one elsewhere. */
static void take_locks(struct run *run)
{
	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (c->dropped)
			continue;
		spool_enter_table(&run->spool, c->target, &c->table->name, &c->dir);
		if (!spool_lock(&c->dir)) {
			complain("let it end, then run this one again",
				"\"%s\" is locked by another run", c->dir.path);
			c->dropped = true;
			run->status = die_worst(run->status, DIE_NOT_NOW);
			continue;
		}
		spool_expect_writable(&c->dir);
		/* A run whose last fsync failed may have left a rename that isn't durable. */
		io_sync(c->dir.fd, c->dir.path);
	}
	tracking_lock(run);
}

static void take_source(struct run *run)
{
	PGresult *res = pg_query_row(run->conn, source_sql, 0, NULL);
	struct run_source *s = &run->source;

	*s = (struct run_source){
		.snapshot = mem_string(pg_text(res, 0, "snapshot")),
		.xmax = pg_number(res, 0, "xmax"),
		.id = {.system = mem_string(pg_text(res, 0, "system")),
			.timeline = (uint32_t)pg_number(res, 0, "timeline"),
			.database = mem_string(pg_text(res, 0, "database"))},
		.lineage_begin = mem_format("%s/%s/%s", pg_text(res, 0, "system"),
			pg_text(res, 0, "timeline"), pg_text(res, 0, "database_oid")),
		.encoding = mem_string(pg_text(res, 0, "encoding")),
		.time = mem_string(pg_text(res, 0, "time")),
	};
	PQclear(res);
}

static void drop_refused(struct run *run)
{
	for (size_t i = 0; i < run->chains; i++)
		if (run->chain[i].table->refused)
			run->chain[i].dropped = true;
}

/*
 * Step 3.  TRUNCATE and what rewrites a table don't respect MVCC: the locks must come before
 * the snapshot, which the first statement after them takes.  The tables are described again,
 * for they may have changed before the lock was ours.
 */
static void open_snapshot(struct run *run)
{
	struct buf sql = {0};

	pg_exec(run->conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE", "BEGIN");
	for (size_t i = 0; i < run->tables.count; i++) {
		const struct source_table *t = &run->tables.table[i];

		if (!t->refused)
			buf_format(&sql, "%s%s%s, %s", sql.len > 0 ? ", " : "LOCK TABLE ",
				t->partitioned ? "" : "ONLY ", t->base, t->shadow);
	}
	if (sql.len > 0) {
		buf_string(&sql, " IN ACCESS SHARE MODE");
		pg_exec(run->conn, sql.data, "LOCK TABLE");
	}
	buf_free(&sql);
	pg_script(run->conn, "SET LOCAL enable_seqscan = off");
	free(run->source.snapshot);
	take_source(run);
	source_describe(run->conn, &run->tables);
	drop_refused(run);
	tracking_load(run);
}

/* True if no chain that is due has a batch of this number already. */
static bool number_is_free(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->chains; i++)
		if (run->chain[i].due &&
			faccessat(run->chain[i].dir.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return false;
	return true;
}

/* A source that was restored may count again what it had counted before. */
static void take_number(struct run *run)
{
	char name[SPOOL_NAME_MAX];

	do {
		PGresult *res = pg_query_row(run->conn,
			"SELECT pg_catalog.nextval('dml.batch_number') AS number", 0, NULL);

		run->number = pg_number(res, 0, "number");
		PQclear(res);
		spool_name(name, SPOOL_BATCH, run->number);
	} while (!number_is_free(run, name));
}

static void make_uuid(const struct run *run, char uuid[MANIFEST_UUID])
{
	PGresult *res =
		pg_query_row(run->conn, "SELECT pg_catalog.gen_random_uuid() AS uuid", 0, NULL);

	buf_copy(uuid, MANIFEST_UUID, pg_text(res, 0, "uuid"));
	PQclear(res);
}

/* All of the manifest but counts, sums and the group.  What is not its own is borrowed. */
static void begin_manifest(const struct run *run, struct chain *c)
{
	struct manifest *m = &c->manifest;

	*m = (struct manifest){
		.table = c->table->name,
		.key = c->table->key,
		.keys = c->table->keys,
		.scope = c->full != NULL ? SCOPE_FULL : SCOPE_CHANGES,
		.number = run->number,
		.base = c->begins ? 0 : c->number,
		.source = run->source.id,
		.snapshot = run->source.snapshot,
		.time = run->source.time,
		.encoding = run->source.encoding,
	};
	buf_copy(m->base_seal, sizeof m->base_seal, c->begins ? "-" : c->seal);
	buf_copy(m->retires, sizeof m->retires, c->begins && c->known ? c->id : "-");
	if (c->begins)
		make_uuid(run, m->chain);
	else
		buf_copy(m->chain, sizeof m->chain, c->id);
}

/* A chain whose rows are those of one before it shares its files. */
static void share(const struct chain *from, struct chain *to)
{
	for (enum manifest_file f = 0; f < FILE_COUNT; f++) {
		stage_link(&from->stage, &to->stage, manifest_file_name(f));
		to->manifest.file[f] = from->manifest.file[f];
	}
	to->manifest.ids = from->manifest.ids;
	to->manifest.rows = from->manifest.rows;
	to->manifest.data_bytes = from->manifest.data_bytes;
}

static const struct chain *staged_before(const struct run *run, const struct chain *c)
{
	for (const struct chain *other = run->chain; other < c; other++)
		if (other->table == c->table && other->due && changes_are_same(other, c))
			return other;
	return NULL;
}

static void stage_chain(struct run *run, struct chain *c, const struct source_copy *copy)
{
	const struct chain *from = staged_before(run, c);

	begin_manifest(run, c);
	stage_create(&c->stage, &c->dir, run->number);
	if (from != NULL) {
		share(from, c);
		return;
	}
	pg_exec(run->conn, "SAVEPOINT batch", "SAVEPOINT");
	if (changes_copy(run, c, copy)) {
		pg_exec(run->conn, "RELEASE SAVEPOINT batch", "RELEASE");
	} else {
		pg_exec(run->conn, "ROLLBACK TO SAVEPOINT batch", "ROLLBACK");
		stage_discard(&c->dir, run->number);
		c->due = false;
		run->status = die_worst(run->status, DIE_AGAIN);
	}
}

static void say_why_full(const struct chain *c)
{
	char *what = run_what(c);

	warn("%s: full batch: %s", what, c->full);
	free(what);
}

/* Step 4, all but the manifests. */
static void stage_all(struct run *run)
{
	size_t targets = run->options->targets.count;

	take_number(run);
	for (size_t i = 0; i < run->tables.count; i++) {
		struct source_copy copy = {0};

		for (size_t k = 0; k < targets; k++) {
			struct chain *c = &run->chain[i * targets + k];

			if (!c->due)
				continue;
			if (c->full != NULL && c->known)
				say_why_full(c);
			if (copy.list == NULL)
				source_copy(run->conn, &run->tables.table[i], &copy);
			stage_chain(run, c, &copy);
		}
		source_copy_free(&copy);
	}
}

static uint32_t group_of(const struct run *run, const struct label *target)
{
	uint32_t group = 0;

	for (size_t i = 0; i < run->chains; i++)
		if (run->chain[i].due && run->chain[i].target == target)
			group++;
	return group;
}

/* Steps 4 and 5: the manifest is the last file; then the directory is made durable. */
static void seal(struct run *run, struct chain *c)
{
	struct io_writer file;
	struct io_sum sum;
	struct buf text = {0};

	c->manifest.group = group_of(run, c->target);
	manifest_encode(&text, &c->manifest);
	io_writer_open(&file, stage_file(&c->stage, "manifest"), c->stage.path);
	io_writer_add(&file, text.data, text.len);
	io_writer_close(&file, &sum);
	buf_free(&text);
	stage_sync(&c->stage);
}

/* Step 6, up to its COMMIT. */
static void seal_and_save(struct run *run)
{
	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (!c->due)
			continue;
		seal(run, c);
		tracking_save(run, c);
		note("%s for %s: batch %" PRIu64 ", %s, %" PRIu64 " ids, %" PRIu64 " rows",
			c->table->label, c->target->text, run->number,
			manifest_scope_name(c->manifest.scope), c->manifest.ids,
			c->manifest.rows);
	}
}

/*
 * Step 9, in a transaction of its own: READ COMMITTED, so that the purges of two runs in the
 * same minute don't fail each other.
 */
static void purge(struct run *run)
{
	struct buf sql = {0};

	buf_string(&sql, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;");
	for (size_t i = 0; i < run->tables.count; i++) {
		const struct source_table *t = &run->tables.table[i];
		bool exported = false;

		for (size_t k = 0; k < run->chains; k++)
			exported |= run->chain[k].due && run->chain[k].table == t;
		if (exported)
			buf_format(&sql, "SELECT dml.purge(%s);", t->oid);
	}
	buf_string(&sql, "COMMIT");
	run->status = die_worst(run->status, pg_script_try(run->conn, sql.data, "purge"));
	buf_free(&sql);
}

enum die_status export_run(const struct options *options)
{
	struct run run = {.options = options};

	raise_file_limit();
	spool_open(&run.spool, options->spool);
	connect_and_resolve(&run);
	take_locks(&run);
	take_source(&run);
	recover(&run);
	open_snapshot(&run);
	changes_find(&run);
	if (run_has_work(&run)) {
		stage_all(&run);
		seal_and_save(&run);
		if (publish_commit(&run)) {
			publish_all(&run);
			purge(&run);
		}
	} else {
		pg_exec(run.conn, "COMMIT", "COMMIT");
	}
	pg_disconnect(run.conn);
	return die_worst(run.status, run.tables.status);
}
