/* Why a batch was not applied, and what to do about it: the words. */
#ifndef DML_IMPORT_EXPLAIN_H
#define DML_IMPORT_EXPLAIN_H

#include "apply.h"
#include "batch.h"
#include "verdict.h"

/* A batch that batch_open() did not open: not ready, refused or newer.  `is_old`: its number
 * was reached already, so it may be one that nobody needs, or a new chain's.  Returns the exit
 * status that it calls for. */
enum die_status explain_unopened(const struct spool_dir *table, uint64_t number,
	enum batch_state state, const char *why, bool is_old);

/* A batch in the directory of another table. */
void explain_table(const struct batch *b);

/* A batch in `table` that verdict() did not apply; nothing is said of VERDICT_MISFIT, which was
 * told. */
void explain_verdict(const struct apply *a, const struct spool_dir *table,
	const struct batch *b, const struct ledger *l, enum verdict result);

#endif
