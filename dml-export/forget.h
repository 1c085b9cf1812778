/* --forget: targets that are exported to no more. */
#ifndef DML_EXPORT_FORGET_H
#define DML_EXPORT_FORGET_H

#include "die.h"
#include "options.h"

/* Runs over all targets of the call and returns the worst that happened. */
enum die_status forget_run(const struct options *o);

#endif
