/* An export: the steps of dml-export(1), in order. */
#ifndef DML_EXPORT_EXPORT_H
#define DML_EXPORT_EXPORT_H

#include "die.h"
#include "options.h"

/* Returns the worst that happened to any table. */
enum die_status export_run(const struct options *options);

#endif
