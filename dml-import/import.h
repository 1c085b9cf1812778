/* An import: each table's queue, some of them side by side. */
#ifndef DML_IMPORT_IMPORT_H
#define DML_IMPORT_IMPORT_H

#include "die.h"
#include "find.h"
#include "options.h"

enum die_status import_run(const struct options *o, const struct find *find);

#endif
