/* From patterns to tables. */
#ifndef DML_EXPORT_MATCH_H
#define DML_EXPORT_MATCH_H

#include "opt.h"
#include "pg.h"

#include <stdbool.h>

/*
 * Adds to `all` the tables that match the patterns given: of those that are tracked, or were
 * until another took their name or they were dropped; or, with `untracked`, of those that are
 * tracked or have a key.  False, with a message, if one matches nothing.
 */
bool match_patterns(
	PGconn *conn, const struct opt_names *given, bool untracked, struct opt_names *all);

#endif
