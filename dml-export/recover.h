/*
 * What a run that died left in the spool: stages.  One whose number and seal were committed is
 * published; one that wasn't is removed; one of another database is left alone.
 */
#ifndef DML_EXPORT_RECOVER_H
#define DML_EXPORT_RECOVER_H

#include "run.h"

/* Needs the locks of all chains that aren't dropped, both kinds. */
void recover(struct run *run);

#endif
