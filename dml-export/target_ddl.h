/* The CREATE TABLE for the other side. */
#ifndef DML_EXPORT_TARGET_DDL_H
#define DML_EXPORT_TARGET_DDL_H

#include "die.h"
#include "options.h"

/* --target-ddl, over all tables of the call; returns the worst that happened. */
enum die_status target_ddl_run(const struct options *o);

#endif
