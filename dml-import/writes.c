#include "writes.h"

#include "buf.h"

#include "writes.sql.h"

#include <inttypes.h>
#include <stdlib.h>

static PGresult *ask(PGconn *conn, const struct target *t, const char *files)
{
	const char *const values[] = {t->oid, files};

	return pg_query_row(conn, writes_sql, 2, values);
}

static void count(const PGresult *res, struct writes *w)
{
	w->known = pg_bool(res, 0, "known");
	w->inserted = pg_number(res, 0, "inserted");
	w->updated = pg_number(res, 0, "updated");
	w->deleted = pg_number(res, 0, "deleted");
}

/* Where a table calls nobody's code, nobody else writes within our transaction. */
void writes_begin(PGconn *conn, const struct target *t, struct writes *begin)
{
	PGresult *res;

	*begin = (struct writes){0};
	if (t->bare)
		return;
	res = ask(conn, t, NULL);
	count(res, begin);
	begin->files = mem_string(pg_text(res, 0, "files"));
	PQclear(res);
}

void writes_anew(PGconn *conn, const struct target *t, struct writes *begin)
{
	PGresult *res;

	if (begin->files == NULL)
		return;
	res = ask(conn, t, NULL);
	mem_replace(&begin->files, pg_text(res, 0, "files"));
	PQclear(res);
}

static void expect_kept(const PGresult *res, const struct target *t, uint64_t number)
{
	if (pg_bool(res, 0, "emptied"))
		die(DIE_PERSON,
			"look for a trigger that says TRUNCATE, or alters a partition, and "
			"disable it",
			"a partition of table %s was emptied by somebody else while batch "
			"%" PRIu64 " was applied",
			t->label, number);
}

void writes_expect(PGconn *conn, const struct target *t, const struct writes *begin,
	uint64_t number, uint64_t inserted, uint64_t deleted)
{
	struct writes now = {0};
	PGresult *res;

	if (begin->files == NULL)
		return;
	res = ask(conn, t, begin->files);
	count(res, &now);
	expect_kept(res, t, number);
	PQclear(res);
	if (!begin->known || !now.known)
		return;
	now.inserted -= begin->inserted;
	now.updated -= begin->updated;
	now.deleted -= begin->deleted;
	if (now.inserted != inserted || now.updated != 0 || now.deleted != deleted)
		die(DIE_PERSON,
			"look for a trigger AFTER INSERT or DELETE, or a default, that writes "
			"to its own table, and disable it",
			"table %s was also written by somebody else while batch %" PRIu64
			" was applied: %" PRIu64 " rows inserted in place of %" PRIu64
			", %" PRIu64 " updated, %" PRIu64 " deleted in place of %" PRIu64,
			t->label, number, now.inserted, inserted, now.updated, now.deleted,
			deleted);
}

void writes_free(struct writes *w)
{
	free(w->files);
	*w = (struct writes){0};
}
