/* Getting the rows of all batches of a run, one after the other or side by side. */
#ifndef DML_EXPORT_COPY_H
#define DML_EXPORT_COPY_H

#include "run.h"

/* Fills the stages of the chains that are due and can't share another's files, and marks those
 * that worked as copied.  What the server refuses is told. */
void copy_all(struct run *run);

#endif
