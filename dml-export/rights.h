/* Refuses what would run others' code with a superuser's rights while he exports. */
#ifndef DML_EXPORT_RIGHTS_H
#define DML_EXPORT_RIGHTS_H

#include "die.h"
#include "pg.h"
#include "source.h"

#include <time.h>

/* A session for questions beside one that reads. */
struct rights {
	const struct pg_options *options;
	PGconn *aside; /* NULL until it is needed */
	time_t asked;
};

/*
 * Before the table's rows are read by who can become a superuser: DIE_PERSON, after a message,
 * if the planner would run code of somebody who can't.  The table's triggers, defaults and
 * checks don't run in an export, nor does who owns it matter.
 *
 * The snapshot of `conn` may be an hour old, and the table's owner have made an index since,
 * which the planner sees: unless the owner is a superuser, another session is asked, which sees
 * it, too.
 */
enum die_status rights_to_read(
	PGconn *conn, struct rights *rights, const struct source_table *t);
void rights_free(struct rights *rights);

/* Before such a one writes to the tables of schema dml by the statement `sql`: dies if a
 * trigger of somebody else would run.  In a transaction of READ COMMITTED, or whose snapshot
 * came after the tables' locks: nobody can put one there from then on. */
void rights_to_write(PGconn *conn, const char *sql);

#endif
