#include "tracking.h"

#include "own_schema.h"
#include "rights.h"

#include "save.sql.h"
#include "states.sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Until this run has committed its snapshots, nobody may purge by those that stand in the
 * tracking state, for a chain that begins now has none there yet.  $1 keys of chains, $2 oids
 * of tables. */
static const char lock_sql[] =
	"SELECT pg_catalog.pg_try_advisory_lock(" OWN_LOCK_CHAIN
	", pg_catalog.hashtext(k.key)) AS locked,"
	"       (SELECT pg_catalog.array_agg(t.oid)"
	"          FROM pg_catalog.unnest($2::oid[]) AS t (oid)"
	"         WHERE NOT pg_catalog.pg_try_advisory_lock_shared(" OWN_LOCK_PURGE ", "
	"t.oid::integer)) AS purged"
	"  FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS k (key, i) ORDER BY k.i";

void tracking_unlock(struct run *run)
{
	PQclear(pg_query_try(run->conn, "SELECT pg_catalog.pg_advisory_unlock_all()", 0, NULL));
}

/* The locks of the chains that aren't dropped, in their order; the caller frees it. */
static char *lock_keys(const struct run *run)
{
	char **keys = mem_zero(run->chains, sizeof *keys);
	size_t count = 0;
	char *array;

	for (size_t i = 0; i < run->chains; i++) {
		const struct chain *c = &run->chain[i];

		if (!c->dropped)
			keys[count++] = mem_format("%s %s", c->target->text, c->table->oid);
	}
	array = pg_array((const char *const *)keys, count);
	pg_array_free(keys, count);
	return array;
}

static void drop_purged(struct run *run, const char *oid)
{
	const char *table = NULL;

	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (c->dropped || strcmp(c->table->oid, oid) != 0)
			continue;
		table = c->table->label;
		c->dropped = true;
	}
	if (table == NULL)
		return;
	complain("let it end, then run this one again",
		"the shadow table of %s is being purged, or somebody holds the purge's lock",
		table);
	run->status = die_worst(run->status, DIE_NOT_NOW);
}

/* A purge takes a moment: it is waited for, but not for ever, for anybody can hold its lock. */
static void await_purges(struct run *run, const char *array)
{
	size_t count;
	char **oids = pg_array_parse(array, &count);

	for (size_t i = 0; i < count; i++) {
		const char *const values[] = {oids[i]};
		PGresult *res = pg_query_try(run->conn,
			"SELECT pg_catalog.pg_advisory_lock_shared(" OWN_LOCK_PURGE ", "
			"$1::oid::integer)",
			1, values);

		if (pg_lock_unavailable(res))
			drop_purged(run, oids[i]);
		else if (PQresultStatus(res) != PGRES_TUPLES_OK)
			pg_die(run->conn, res, NULL);
		PQclear(res);
	}
	pg_array_free(oids, count);
}

void tracking_lock(struct run *run)
{
	char *keys = lock_keys(run), *oids = source_oids(&run->tables);
	const char *const values[] = {keys, oids};
	PGresult *res = pg_query(run->conn, lock_sql, 2, values);
	int row = 0;

	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (c->dropped || pg_bool(res, row++, "locked"))
			continue;
		complain("let it end, then run this one again",
			"%s for %s is being exported by another run", c->table->label,
			c->target->text);
		c->dropped = true;
		run->status = die_worst(run->status, DIE_NOT_NOW);
	}
	if (PQntuples(res) > 0 && !pg_is_null(res, 0, "purged"))
		await_purges(run, pg_text(res, 0, "purged"));
	PQclear(res);
	free(keys);
	free(oids);
}

void tracking_await(struct run *run)
{
	char *keys = lock_keys(run);
	const char *const values[] = {keys};

	PQclear(pg_query(run->conn,
		"SELECT pg_catalog.pg_advisory_lock(" OWN_LOCK_CHAIN
		", pg_catalog.hashtext(k.key))"
		"  FROM pg_catalog.unnest($1::text[]) AS k (key)",
		1, values));
	free(keys);
}

/* The first reason that fits; what begins a new chain comes before what doesn't. */
static void judge(struct chain *c, const PGresult *res, int row, bool wanted)
{
	if (!c->known)
		c->full = "this is its first";
	else if (wanted)
		c->full = "--full was given";
	else if (pg_bool(res, row, "moved"))
		c->full = "the database or table was restored, failed over or installed anew";
	else if (pg_bool(res, row, "renamed"))
		c->full = "the table was renamed";
	else if (pg_bool(res, row, "replaced"))
		c->full = "another table had its name meanwhile";
	c->begins = c->full != NULL;
	if (c->full != NULL)
		return;
	c->reshaped = pg_bool(res, row, "reshaped");
	if (c->reshaped)
		c->full = "its columns changed";
	else if (pg_bool(res, row, "rewritten"))
		c->full = "the table was truncated or rewritten";
	else if (pg_bool(res, row, "rewired"))
		c->full = "its triggers or partitions were changed";
}

static void take(struct chain *c, const PGresult *res, int row)
{
	c->known = pg_bool(res, row, "known");
	c->id = mem_string(pg_text(res, row, "chain"));
	c->number = pg_number(res, row, "number");
	c->name_number = pg_number(res, row, "name_number");
	c->seal = mem_string(pg_text(res, row, "seal"));
	c->snapshot = mem_string(pg_text(res, row, "snapshot"));
	c->xmax = pg_number(res, row, "xmax");
	c->xip = mem_string(pg_text(res, row, "xip"));
}

static char *lineage(const struct run *run, const struct source_table *t)
{
	return mem_format("%s/%s", run->source.lineage_begin, t->lineage_end);
}

static char *record(const struct source_table *t)
{
	struct buf b = {0};

	name_to_record(&b, &t->name);
	return b.data;
}

/* Arrays with an element for each table that isn't refused. */
struct table_arrays {
	char *oids, *lineages, *names, *columns, *triggers;
};

static void gather(const struct run *run, struct table_arrays *a)
{
	size_t room = run->tables.count, count = 0;
	const char **oid = mem_zero(room, sizeof *oid);
	const char **columns = mem_zero(room, sizeof *columns);
	const char **triggers = mem_zero(room, sizeof *triggers);
	char **lineages = mem_zero(room, sizeof *lineages);
	char **names = mem_zero(room, sizeof *names);

	for (size_t i = 0; i < room; i++) {
		const struct source_table *t = &run->tables.table[i];

		if (t->refused)
			continue;
		oid[count] = t->oid;
		columns[count] = t->columns;
		triggers[count] = t->triggers;
		lineages[count] = lineage(run, t);
		names[count++] = record(t);
	}
	a->oids = pg_array(oid, count);
	a->columns = pg_array(columns, count);
	a->triggers = pg_array(triggers, count);
	a->lineages = pg_array((const char *const *)lineages, count);
	a->names = pg_array((const char *const *)names, count);
	for (size_t i = 0; i < count; i++) {
		free(lineages[i]);
		free(names[i]);
	}
	free(names);
	free(lineages);
	free(triggers);
	free(columns);
	free(oid);
}

void tracking_load(struct run *run)
{
	const struct opt_labels *targets = &run->options->targets;
	const char **labels = mem_zero(targets->count, sizeof *labels);
	struct table_arrays a;
	int row = 0;

	gather(run, &a);
	for (size_t i = 0; i < targets->count; i++)
		labels[i] = targets->label[i].text;

	char *array = pg_array(labels, targets->count);
	const char *const values[] = {
		a.oids, array, a.lineages, a.names, a.columns, a.triggers};
	PGresult *res = pg_query(run->conn, states_sql, 6, values);

	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];

		if (c->table->refused)
			continue;
		if (!c->dropped) {
			take(c, res, row);
			judge(c, res, row, run->options->full);
		}
		row++;
	}
	PQclear(res);
	free(array);
	free(labels);
	free(a.oids);
	free(a.lineages);
	free(a.names);
	free(a.columns);
	free(a.triggers);
}

void tracking_expect_no_strangers(const struct run *run)
{
	if (run->wary)
		rights_to_write(run->conn, save_sql);
}

void tracking_save(const struct run *run, const struct chain *c)
{
	const struct manifest *m = &c->manifest;
	char number[24], ids[24], rows[24], bytes[24];
	char *lines = lineage(run, c->table);
	char *name = record(c->table);
	const char *const values[] = {c->table->oid, c->target->text, m->chain,
		strcmp(m->retires, "-") == 0 ? NULL : m->retires, number, m->seal, m->snapshot,
		lines, name, c->table->columns, c->table->triggers, m->time,
		manifest_scope_name(m->scope), ids, rows, bytes};

	snprintf(number, sizeof number, "%" PRIu64, m->number);
	snprintf(ids, sizeof ids, "%" PRIu64, m->ids);
	snprintf(rows, sizeof rows, "%" PRIu64, m->rows);
	snprintf(bytes, sizeof bytes, "%" PRIu64, m->file[FILE_DATA].size);

	PGresult *res = pg_query_try(run->conn, save_sql, 16, values);

	if (PQresultStatus(res) != PGRES_COMMAND_OK || strcmp(PQcmdTuples(res), "1") != 0)
		pg_die(run->conn, res, c->table->label);
	PQclear(res);
	free(lines);
	free(name);
}

bool tracking_knows(PGconn *conn, const struct chain *c, uint64_t number, const char *seal)
{
	char text[24];
	const char *const values[] = {c->table->oid, c->target->text, text, seal};
	PGresult *res;
	bool known;

	snprintf(text, sizeof text, "%" PRIu64, number);
	res = pg_query_row(conn,
		"SELECT EXISTS (SELECT FROM dml.history WHERE base = $1::oid AND target = $2"
		" AND number = $3::bigint AND ($4::text IS NULL OR seal = $4)) AS known",
		4, values);
	known = pg_bool(res, 0, "known");
	PQclear(res);
	return known;
}

bool tracking_knows_number(PGconn *conn, const struct chain *c, uint64_t number)
{
	return tracking_knows(conn, c, number, NULL);
}

bool tracking_was_called(PGconn *conn, const struct chain *c, const struct manifest *m)
{
	const char *const values[] = {
		c->table->oid, c->target->text, m->chain, m->retires, m->source.database};
	PGresult *res = pg_query_row(conn,
		"SELECT EXISTS (SELECT FROM dml.tracking AS t WHERE t.base = $1::oid"
		" AND t.target = $2 AND t.chain::text IN ($3, $4))"
		" AND NOT EXISTS (SELECT FROM pg_catalog.pg_database AS d"
		" WHERE d.datname = $5) AS called",
		5, values);
	bool called = pg_bool(res, 0, "called");

	PQclear(res);
	return called;
}
