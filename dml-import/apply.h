/* One batch into one table, in one transaction: the steps of dml-import(1). */
#ifndef DML_IMPORT_APPLY_H
#define DML_IMPORT_APPLY_H

#include "batch.h"
#include "ledger.h"
#include "options.h"
#include "pg.h"
#include "target.h"
#include "verdict.h"
#include "workers.h"

struct apply {
	const struct options *options;
	struct workers *workers; /* its job is the table */
	PGconn *conn;
	struct target target;
};

/* On what terms a batch is applied. */
struct apply_terms {
	bool accept_source; /* as verdict() has it */
	struct ledger_needless needless;
};

/*
 * Applies the batch if its turn has come, and answers with the verdict: after VERDICT_APPLY it
 * is committed, after VERDICT_POSTPONED this run takes the table once more, when the others are
 * done, and after any but the first no row has changed, though after VERDICT_MISFIT the ledger
 * may note a doubt.  Fills in the ledger for messages; the caller frees it.  Whatever fails
 * dies.
 */
enum verdict apply_batch(struct apply *a, const struct batch *b,
	const struct apply_terms *terms, struct ledger *ledger);

#endif
