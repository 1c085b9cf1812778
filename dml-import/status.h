/* --status: how far each table is, and what waits for it. */
#ifndef DML_IMPORT_STATUS_H
#define DML_IMPORT_STATUS_H

#include "die.h"
#include "find.h"
#include "options.h"

enum die_status status_print(const struct options *o, const struct find *find);

#endif
