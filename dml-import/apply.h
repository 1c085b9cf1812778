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
	/* Chains that the next batch applied ends, and how far they had come: arrays, or NULL.
	 */
	char *needless_chains;
	char *needless_numbers;
};

/*
 * Applies the batch if its turn has come, and answers with the verdict: after VERDICT_APPLY it
 * is committed, after any other nothing has happened.  Fills in the ledger for messages; the
 * caller frees it.  Whatever fails dies.
 */
enum verdict apply_batch(struct apply *a, const struct batch *b, struct ledger *ledger);

/* Sets client_encoding to $1, the encoding of a batch, or to the database's own. */
extern const char apply_encoding_sql[];

/* Speaks the encoding of the batch with the server or, without one, that of the database. */
void apply_encoding(struct apply *a, const struct manifest *m);

#endif
