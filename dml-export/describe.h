/* The state in which the catalogue has tracked tables: is everything as --install left it? */
#ifndef DML_EXPORT_DESCRIBE_H
#define DML_EXPORT_DESCRIBE_H

#include "source.h"

/*
 * Fills in the rest, and refuses what would lose changes or show too few rows.  Call it when
 * the tables are locked: dies if the lock, which is on names, turns out to be on other tables.
 */
void describe_tables(PGconn *conn, struct source_tables *tables);

/*
 * When the rows of `read`, one of `tables`, are: false, after a message, if others than these
 * tables were locked, because a name was given to another one meanwhile, or a partition
 * attached. What of that came before `read` was read must have been rolled back.  `read` may be
 * NULL.
 */
bool describe_confirm(PGconn *conn, const struct source_table *tables, size_t count,
	const struct source_table *read);

/* True if --install has nothing to do. */
bool describe_is_intact(PGconn *conn, const struct source_table *table);
/* The same; but where somebody keeps it locked for all of lock_timeout, it sets `locked` in
 * place of dying. */
bool describe_is_intact_or_locked(PGconn *conn, const struct source_table *table, bool *locked);

#endif
