#include "writes.h"

#include "writes.sql.h"

#include <inttypes.h>

/* Where a table calls nobody's code, nobody else writes within our transaction. */
void writes_begin(PGconn *conn, const struct target *t, struct writes *begin)
{
	const char *const values[] = {t->oid};
	PGresult *res;

	*begin = (struct writes){0};
	if (t->bare)
		return;
	res = pg_query_row(conn, writes_sql, 1, values);
	*begin = (struct writes){
		.known = !pg_is_null(res, 0, "inserted"),
		.inserted = pg_number(res, 0, "inserted"),
		.updated = pg_number(res, 0, "updated"),
		.deleted = pg_number(res, 0, "deleted"),
	};
	PQclear(res);
}

void writes_expect(PGconn *conn, const struct target *t, const struct writes *begin,
	uint64_t number, uint64_t inserted, uint64_t deleted)
{
	struct writes now;

	writes_begin(conn, t, &now);
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
