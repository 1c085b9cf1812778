/* One batch into one table, in one transaction: the steps of dml-import(1). */
#ifndef DML_IMPORT_APPLY_H
#define DML_IMPORT_APPLY_H

#include "batch.h"
#include "options.h"
#include "pg.h"
#include "target.h"
#include "verdict.h"

struct apply {
	const struct options *options;
	PGconn *conn;
	struct target target;
	bool tell; /* why the table can't take a batch */
};

/*
 * Applies the batch if its turn has come, and answers with the verdict: after VERDICT_APPLY it
 * is committed, after any other nothing has happened.  Fills in the ledger for messages; the
 * caller frees it.  Whatever fails dies.
 */
enum verdict apply_batch(struct apply *a, const struct batch *b, struct ledger *ledger);

/* The verdict alone; nothing is written. */
enum verdict apply_judge(struct apply *a, const struct manifest *m, struct ledger *ledger);

#endif
