/*
 * What is to become of a batch: the heart of "exactly once and in order".  No database here, no
 * files; only what the manifest says and what the ledger knows.
 *
 *     batch                                           verdict
 *     ---------------------------------------------   ------------------
 *     of a chain that was replaced, beyond its end    VERDICT_FORK
 *     of such a chain, or of this one with a number
 *     that is past:
 *       applied with that seal                        VERDICT_DONE
 *       made needless by a full batch while it waited VERDICT_DONE
 *       jumped over by a full batch, or not known     VERDICT_DONE
 *         any more, and taken before what was applied
 *         last
 *       any other                                     VERDICT_FORK
 *     of this chain, the ledger's number, its seal    VERDICT_DONE
 *     of this chain, built on what was applied last   VERDICT_APPLY
 *     of this chain, full, beyond a gap               VERDICT_APPLY
 *     of this chain, built on one that is missing     VERDICT_GAP
 *     of this chain, but not what was applied here    VERDICT_FORK
 *     of no known chain, another source's, or of      VERDICT_FOREIGN
 *       another table, or made for another target
 *     of no known chain, full, later, or the table's  VERDICT_APPLY
 *       first
 *     the same, but not later than what was applied   VERDICT_STALE
 *     of no known chain, changes                      VERDICT_HEADLESS
 *
 * A fork is seen by the seals: each manifest carries the seal of the one before it, so that two
 * copies of one database can't both go on with one chain.  Where the log has no seal of a
 * number, the source's clock tells what it exported after it was set back, and what only comes
 * late. "Later" is by timeline, then by the xmax of the snapshot, which only grows within one;
 * a number may be counted twice by a source that was restored.
 */
#ifndef DML_IMPORT_VERDICT_H
#define DML_IMPORT_VERDICT_H

#include "manifest.h"

#include <stdbool.h>
#include <stdint.h>

/* What the ledger knows that bears on one batch. */
struct ledger {
	bool known; /* the table has a ledger row; the next ones are of no meaning without */
	char *target;
	char *origin;  /* the table at the source, as a manifest records it */
	char *columns; /* those that were written: target_columns(); "" if rows may be lost
			  since, "changed" if values may be */
	char chain[MANIFEST_UUID];
	uint64_t number;
	char seal[HASH_TEXT];
	struct manifest_source source;
	uint64_t xmax; /* of the snapshot */

	bool retired;            /* the batch's chain is one that was replaced */
	uint64_t retired_number; /* its last number then */

	bool after; /* the batch was taken, by the clock, after what was applied last */

	/* The batch of the same chain that was applied with this number, or the least above it.
	 */
	bool has_next;
	uint64_t next_number;
	uint64_t next_base;
	char next_seal[HASH_TEXT];
};

/*
 * The last two are not verdict()'s, but apply_batch()'s: its turn had come, but the table can't
 * take it, as messages told; or not before another one was imported, of which nothing was told.
 */
enum verdict {
	VERDICT_APPLY,
	VERDICT_DONE,
	VERDICT_GAP,
	VERDICT_FORK,
	VERDICT_STALE,
	VERDICT_FOREIGN,
	VERDICT_HEADLESS,
	VERDICT_MISFIT,
	VERDICT_POSTPONED,
};

/* True if `m` was taken later than what was applied last, or earlier. */
bool verdict_is_later(const struct manifest *m, const struct ledger *l);
bool verdict_is_earlier(const struct manifest *m, const struct ledger *l);

/* True if the batch is of the chain that was applied last. */
bool verdict_goes_on(const struct manifest *m, const struct ledger *l);

/* `accept_source`: a full batch of a foreign or stale chain is applied. */
enum verdict verdict(const struct manifest *m, const struct ledger *l, bool accept_source);

#endif
