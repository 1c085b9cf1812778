/* --check: batches verified without a database. */
#ifndef DML_IMPORT_CHECK_H
#define DML_IMPORT_CHECK_H

#include "die.h"
#include "find.h"
#include "options.h"

/* Verifies manifests, sizes, hashes and gzip of everything found; the worst is the answer. */
enum die_status check_run(const struct options *o, const struct find *find);

#endif
