/* From patterns to tables. */
#ifndef DML_EXPORT_MATCH_H
#define DML_EXPORT_MATCH_H

#include "opt.h"
#include "pg.h"

#include <stdbool.h>

/*
 * Adds to `all` the tables that match the patterns given: of those that are tracked or, with
 * `untracked`, also of those that have a key.  False, with a message, if one matches nothing.
 */
bool match_patterns(
	PGconn *conn, const struct opt_names *given, bool untracked, struct opt_names *all);

#endif
