/* What beginning and ending to track a table have in common. */
#ifndef DML_EXPORT_TRACK_H
#define DML_EXPORT_TRACK_H

#include "die.h"
#include "options.h"
#include "source.h"

/* Of the shadow tables, triggers and functions that --install makes: raised whenever they
 * change, so that an older installation is brought up to date before it is used.  dml.purge()
 * has no version: purge_is_made() sees from its body whether it is ours. */
enum { TRACK_VERSION = 2 };

/* What begins and ends each table's transaction. */
extern const char track_begin[];
extern const char track_commit[];

/* Allows one --install or --uninstall at a time in a database, until its session ends: the
 * first makes the schema, the last drops it. */
void track_expect_alone(PGconn *conn, const struct options *o);

/* Once schema dml is there: dies if whoever runs this can become a superuser and somebody who
 * can't has triggers on its tables.  Nobody puts one there before the end of the transaction.
 */
void track_expect_no_strangers(PGconn *conn, const struct options *o);

/* Refuses tables in the schemas of the system and ours, and names that no directory can have.
 */
void track_refuse_names(struct source_tables *tables);

/* What stands of an installation, as installed.sql has it, or NULL. */
PGresult *track_installed(PGconn *conn, const struct source_table *t);

/* What drops our triggers from a table that isn't tracked, "" if it has none: a dump brought
 * them along.  The caller frees it. */
char *track_stray(PGconn *conn, const struct source_table *t);

/* Runs a script or, with --print-sql, prints it; an error's message begins with `what`. */
enum die_status track_run_or_print(
	PGconn *conn, const struct options *o, const char *script, const char *what);

#endif
