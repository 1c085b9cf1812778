/*
 * Which rows changed, and copying them into a stage.
 *
 * With S1 the snapshot of a chain's last batch and S2 the run's, the changes are the shadow
 * rows of transactions that S1 did not see and S2 does: those from xmax(S1) on, and the few
 * that were under way at S1.  S2 needs no test, for MVCC shows nothing later.  The form is
 * PgQ's (Skype, 2007): starting at xmax, and naming what was then in flight, keeps one long
 * transaction from making every run read the shadow from where that began.
 */
#ifndef DML_EXPORT_CHANGES_H
#define DML_EXPORT_CHANGES_H

#include "run.h"
#include "selection.h"

/*
 * What asking for changes is planned by: the shadow is found by its BRIN index, and a few rows
 * are not worth the start of parallel workers.  changes_copy() leaves it otherwise.
 */
#define CHANGES_PLAN                                                                           \
	"SET LOCAL enable_seqscan = off;"                                                      \
	"SET LOCAL max_parallel_workers_per_gather = 0;"

/* What a transaction sets that asks for changes.  Where the server can, it refuses to read a
 * view that somebody puts in a table's place, and so to run what he wrote in it. */
extern const char changes_settings[];

/*
 * Decides for each chain whether it is due, and whether a TRUNCATE calls for all rows.  One
 * whose shadow table's index somebody keeps locked, or whose shadow table can't be read, is
 * dropped with a message.
 */
void changes_find(struct run *run);

/*
 * Copies the ids and rows of `c` into its stage, and notes counts and sums in its manifest.
 * If the server refused, returns what that calls for, after a message; the transaction is then
 * unusable until rolled back to a savepoint.
 */
enum die_status changes_copy(
	const struct run *run, struct chain *c, const struct selection *selection);

/* True if both chains, of one table, need exactly the same rows. */
bool changes_are_same(const struct chain *a, const struct chain *b);

/* The first chain before `c` that is due and needs the same rows, or NULL: `c` shares its
 * files. */
const struct chain *changes_leader(const struct run *run, const struct chain *c);

#endif
