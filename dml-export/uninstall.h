/* Ending to track tables. */
#ifndef DML_EXPORT_UNINSTALL_H
#define DML_EXPORT_UNINSTALL_H

#include "die.h"
#include "options.h"

/* --uninstall, over all tables of the call; returns the worst that happened. */
enum die_status uninstall_run(const struct options *o);

#endif
