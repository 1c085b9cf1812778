#include "make.h"

#include "changes.h"
#include "copy.h"
#include "own_schema.h"
#include "tracking.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool exists(const struct chain *c, enum spool_kind kind, uint64_t number)
{
	char name[SPOOL_NAME_MAX];

	spool_name(name, kind, number);
	return faccessat(c->dir.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A source that was set back may count again what it had counted before; and another database
 * may have left a stage here. */
static bool number_is_free(const struct run *run)
{
	for (size_t i = 0; i < run->chains; i++) {
		const struct chain *c = &run->chain[i];

		if (c->due && (exists(c, SPOOL_BATCH, run->number) ||
				      exists(c, SPOOL_STAGE, run->number)))
			return false;
	}
	return true;
}

/* The greatest number in a table's directory. */
static uint64_t published_last(const struct chain *c)
{
	struct spool_list list;
	uint64_t last = 0;

	spool_list(&c->dir, &list);
	for (size_t i = 0; i < list.count && list.entry[i].kind == SPOOL_BATCH; i++)
		last = list.entry[i].number;
	spool_list_free(&list);
	return last;
}

/* What the batch's number has to be above.  A chain that begins comes after whatever is on its
 * way, also where a source that was installed anew counts from 1 again. */
static uint64_t passed_number(const struct run *run)
{
	uint64_t passed = 0;

	for (size_t i = 0; i < run->chains; i++) {
		const struct chain *c = &run->chain[i];
		uint64_t last = 0;

		if (c->due && c->known)
			last = c->number;
		if (c->due && c->begins && published_last(c) > last)
			last = published_last(c);
		if (last > passed)
			passed = last;
	}
	return passed;
}

enum { NUMBERS_SKIPPED_MAX = 10000000 };

/* The next number, or, if it is not above `passed`, as many more as it takes. */
static uint64_t next_number(PGconn *conn, uint64_t passed)
{
	uint64_t number = 0;

	while (number <= passed) {
		uint64_t count = number == 0 ? 1 : passed - number + 1;
		char more[24];
		const char *const values[] = {more};
		PGresult *res;

		if (count > NUMBERS_SKIPPED_MAX)
			die(DIE_PERSON,
				"if that is a directory in the spool which nobody needs, "
				"remove it; "
				"else set dml.batch_number to it, with setval()",
				"the source counts %" PRIu64 ", and there is a batch %" PRIu64,
				number, passed);
		snprintf(more, sizeof more, "%" PRIu64, count);
		res = pg_query_row(conn,
			"SELECT pg_catalog.max(pg_catalog.nextval('dml.batch_number')) AS "
			"number"
			"  FROM pg_catalog.generate_series(1, $1::bigint)",
			1, values);
		number = pg_number(res, 0, "number");
		PQclear(res);
	}
	return number;
}

static void take_number(struct run *run)
{
	uint64_t passed = passed_number(run);

	do
		run->number = next_number(run->conn, passed);
	while (!number_is_free(run));
}

static void make_uuid(const struct run *run, char uuid[MANIFEST_UUID])
{
	PGresult *res =
		pg_query_row(run->conn, "SELECT pg_catalog.gen_random_uuid() AS uuid", 0, NULL);

	buf_copy(uuid, MANIFEST_UUID, pg_text(res, 0, "uuid"));
	PQclear(res);
}

/* All of the manifest but counts, sums and the group.  Its strings are borrowed from the run.
 */
static void begin_manifest(const struct run *run, struct chain *c)
{
	struct manifest *m = &c->manifest;

	*m = (struct manifest){
		.target = c->target->text,
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
	m->retires_number = c->begins && c->known ? c->number : 0;
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
		stage_share(&from->stage, &to->stage, manifest_file_name(f),
			&from->manifest.file[f]);
		to->manifest.file[f] = from->manifest.file[f];
	}
	to->manifest.ids = from->manifest.ids;
	to->manifest.rows = from->manifest.rows;
	to->manifest.data_bytes = from->manifest.data_bytes;
}

/* What is generated now may have been an ordinary column, and still be one at the target: no
 * batch says so. */
static void say_what_is_generated(PGconn *conn, const struct chain *c)
{
	const char *const values[] = {c->table->oid};
	PGresult *res = pg_query_row(conn,
		"SELECT pg_catalog.string_agg("
		"           pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) AS names"
		"  FROM dml.tracked AS t"
		"  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.base"
		" WHERE t.base = $1::oid AND a.attnum > 0 AND a.attgenerated <> ''"
		"   AND NOT a.attisdropped AND a.attname <> ALL (t.key)",
		1, values);

	if (!pg_is_null(res, 0, "names"))
		warn("what table %s generates is not sent: %s; let the target generate it, "
		     "too, lest values that it has be lost",
			c->table->label, pg_text(res, 0, "names"));
	PQclear(res);
}

static void say_why_full(PGconn *conn, const struct chain *c)
{
	char *what = run_what(c);

	warn("%s: full batch: %s", what, c->full);
	if (c->reshaped)
		say_what_is_generated(conn, c);
	free(what);
}

/* Every chain that is due gets its directory; those that can't share get their rows after. */
static void stage_all(struct run *run)
{
	take_number(run);
	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (!c->due)
			continue;
		if (c->full != NULL && c->known)
			say_why_full(run->conn, c);
		begin_manifest(run, c);
		stage_create(&c->stage, &c->dir, run->number);
	}
}

/* A chain without its rows is given up, and so are those that would have shared them. */
static void share_or_discard(struct run *run)
{
	for (size_t i = run->chains; i-- > 0;) {
		struct chain *c = &run->chain[i];
		const struct chain *from = c->due ? changes_leader(run, c) : NULL;

		if (from != NULL && from->copied) {
			share(from, c);
			c->copied = true;
		}
	}
	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (!c->due || c->copied)
			continue;
		stage_discard(&c->dir, run->number);
		c->due = false;
		run->status = die_worst(run->status, DIE_AGAIN);
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

/* The manifest is the last file; then the directory is made durable. */
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

void make_batches(struct run *run)
{
	run->wary = own_schema_is_wary(run->conn);
	stage_all(run);
	copy_all(run);
	share_or_discard(run);
	tracking_expect_no_strangers(run);
	seal_and_save(run);
}
