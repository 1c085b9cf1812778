/* A superuser's rights, and who else would have them while he exports. */
#ifndef DML_EXPORT_RIGHTS_H
#define DML_EXPORT_RIGHTS_H

#include "die.h"
#include "pg.h"
#include "source.h"

/*
 * Before the table's rows are read by who can become a superuser: DIE_PERSON, after a message,
 * if the planner would run code of somebody who is none.  The table's triggers, defaults and
 * checks don't run in an export, nor does who owns it matter.
 */
enum die_status rights_to_read(PGconn *conn, const struct source_table *t);

/* Before such a one writes to the tables of schema dml by the statement `sql`: dies if a
 * trigger of somebody else would run.  In a transaction, for nobody can put one there from then
 * on. */
void rights_to_write(PGconn *conn, const char *sql);

#endif
