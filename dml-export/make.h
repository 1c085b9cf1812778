/* Making the batches of a run: steps 4 to 6 of dml-export(1), up to COMMIT. */
#ifndef DML_EXPORT_MAKE_H
#define DML_EXPORT_MAKE_H

#include "run.h"

/*
 * Stages a batch for each chain that is due, seals it, makes it durable, and writes the
 * tracking state.  A chain whose rows the server refuses is due no more; the others go on. With
 * -j the rows are read by several processes, all in the run's one snapshot.
 */
void make_batches(struct run *run);

#endif
