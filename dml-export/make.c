#include "make.h"

#include "changes.h"
#include "copy.h"
#include "number.h"
#include "own_schema.h"
#include "tracking.h"

#include <inttypes.h>
#include <stdlib.h>

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
	number_take(run);
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
