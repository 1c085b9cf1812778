/* Batches that a full one makes needless, be they of its chain or of another. */
#ifndef DML_IMPORT_NEEDLESS_H
#define DML_IMPORT_NEEDLESS_H

#include "apply.h"
#include "find.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Those that wait in its directory and were made before it: with their seals in the log they
 * are known for done, whatever the source's clock said.  `accepted`, because --accept-source
 * lets it in: also those that the table leaves with it for good.  The caller frees them.
 */
void needless_find(struct ledger_needless *needless, const struct apply *a,
	const struct found *where, const struct spool_list *list, uint64_t full, bool accepted);
void needless_free(struct ledger_needless *needless);

#endif
