/* The number that the batches of a run get. */
#ifndef DML_EXPORT_NUMBER_H
#define DML_EXPORT_NUMBER_H

#include "run.h"

/*
 * Sets run->number: above what each chain that is due has come to, and free in its directory.
 * A chain that has come so far that the source can't count there is left out, with a message.
 */
void number_take(struct run *run);

#endif
