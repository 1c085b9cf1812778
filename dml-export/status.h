/* --status: a table that a person can read. */
#ifndef DML_EXPORT_STATUS_H
#define DML_EXPORT_STATUS_H

#include "die.h"
#include "options.h"

enum die_status status_print(const struct options *o);

#endif
