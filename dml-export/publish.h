/* The end of a batch's making: committing it, publishing it, telling its path. */
#ifndef DML_EXPORT_PUBLISH_H
#define DML_EXPORT_PUBLISH_H

#include "run.h"

/*
 * Commits the run's transaction.  False if it is known to have failed: the stages are gone
 * then.  Where the answer was lost, it connects again and looks, batch by batch.
 */
bool publish_commit(struct run *run);

/* Gives a committed batch its name and prints its path. */
void publish(struct run *run, const struct chain *c, uint64_t number);

/* The same for all that are due. */
void publish_all(struct run *run);

#endif
