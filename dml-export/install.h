/* --install: begins to track tables, and mends what tracks them. */
#ifndef DML_EXPORT_INSTALL_H
#define DML_EXPORT_INSTALL_H

#include "die.h"
#include "options.h"

/* Runs over all tables of the call and returns the worst that happened. */
enum die_status install_run(const struct options *o);

#endif
