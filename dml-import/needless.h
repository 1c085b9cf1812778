/* The chains that a full batch brings to their end, beside the one that its manifest names. */
#ifndef DML_IMPORT_NEEDLESS_H
#define DML_IMPORT_NEEDLESS_H

#include "apply.h"
#include "find.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Adds to the terms of batch `full` the chains that waited in its directory when it was made,
 * and how far they had come.  `accepted`, because --accept-source lets it in: also those that
 * the table leaves with it for good.  The caller frees what was added.
 */
void needless_find(struct apply_terms *terms, const struct apply *a, const struct found *where,
	const struct spool_list *list, uint64_t full, bool accepted);
void needless_free(struct apply_terms *terms);

#endif
