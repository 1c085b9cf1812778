/* The batches of one table, in order. */
#ifndef DML_IMPORT_QUEUE_H
#define DML_IMPORT_QUEUE_H

#include "apply.h"
#include "find.h"

/*
 * Takes what waits in one table's directory: applies each batch whose turn it is, removes what
 * is done.  A batch that can't be applied stops the queue, unless a full one behind it makes it
 * needless.  Notes DIE_NOT_NOW or DIE_PERSON, with a message, for what stopped it, by
 * workers_note(), and nothing for what workers_postpone() will bring again; dies where applying
 * failed.
 */
void queue_run(struct apply *a, const struct found *where);

#endif
