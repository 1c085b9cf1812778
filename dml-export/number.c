#include "number.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SKIPPED_MAX = 10000000 };

static bool exists(const struct chain *c, enum spool_kind kind, uint64_t number)
{
	char name[SPOOL_NAME_MAX];

	spool_name(name, kind, number);
	return faccessat(c->dir.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A source that was set back may count again what it had counted before; and another database
 * may have left a stage here. */
static bool is_free(const struct run *run)
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

/* By the tracking state.  A chain that begins comes after what its name has had, too. */
static uint64_t tracked_last(const struct chain *c)
{
	uint64_t last = c->known ? c->number : 0;

	return c->begins && c->name_number > last ? c->name_number : last;
}

/* What the chain's number has to be above.  One that begins comes after whatever is on its way,
 * also where a source that was installed anew counts from 1 again. */
static uint64_t passed_by(const struct chain *c)
{
	uint64_t tracked = tracked_last(c), published = c->begins ? published_last(c) : 0;

	return published > tracked ? published : tracked;
}

static void leave_out(struct run *run, struct chain *c, uint64_t last)
{
	if (tracked_last(c) < last) {
		complain("if nobody needs it, remove it; else set dml.batch_number to its "
			 "number, with setval()",
			"the source counts %" PRIu64 ", and there is a batch \"%s/%010" PRIu64
			"\"",
			run->number, c->dir.path, last);
	} else {
		char *what = run_what(c);

		complain("set dml.batch_number to that, with setval()",
			"%s: the source counts %" PRIu64 ", and there was a batch %" PRIu64,
			what, run->number, last);
		free(what);
	}
	c->due = false;
	c->dropped = true;
	run->status = die_worst(run->status, DIE_PERSON);
}

static uint64_t passed_by_all(struct run *run)
{
	uint64_t passed = 0;

	for (size_t i = 0; i < run->chains; i++) {
		struct chain *c = &run->chain[i];
		uint64_t last = c->due ? passed_by(c) : 0;

		if (last > run->number && last - run->number > SKIPPED_MAX)
			leave_out(run, c, last);
		else if (last > passed)
			passed = last;
	}
	return passed;
}

/* The sequence's last number of so many; of a function in FROM the server would keep a row for
 * each. */
static uint64_t count(PGconn *conn, uint64_t times)
{
	char more[24];
	const char *const values[] = {more};
	PGresult *res;
	uint64_t number;

	snprintf(more, sizeof more, "%" PRIu64, times);
	res = pg_query_row(conn,
		"SELECT pg_catalog.max(c.number) AS number"
		"  FROM (SELECT pg_catalog.nextval('dml.batch_number') AS number"
		"          FROM (SELECT pg_catalog.generate_series(1, $1::bigint)) AS s) AS c",
		1, values);
	number = pg_number(res, 0, "number");
	PQclear(res);
	return number;
}

void number_take(struct run *run)
{
	uint64_t passed;

	run->number = count(run->conn, 1);
	passed = passed_by_all(run);
	for (;;) {
		while (run->number <= passed)
			run->number = count(run->conn, passed - run->number + 1);
		if (is_free(run))
			return;
		passed = run->number;
	}
}
