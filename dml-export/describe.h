/* The state in which the catalogue has tracked tables: is everything as --install left it? */
#ifndef DML_EXPORT_DESCRIBE_H
#define DML_EXPORT_DESCRIBE_H

#include "source.h"

/*
 * Fills in the rest, and refuses what would lose changes or show too few rows.  Call it when
 * the tables are locked: dies if the lock, which is on names, turns out to be on other tables.
 */
void describe_tables(PGconn *conn, struct source_tables *tables);

/* Of those that are `wanted`, or that describe_tables() found suspect, refuses tables whose
 * changes would be exported wrongly, or were not all noted. */
void describe_closer(PGconn *conn, struct source_tables *tables, const bool *wanted);

/*
 * Were the tables that are marked in `read` read, and nothing else?  False, after messages, if
 * a name was given to another table meanwhile, or a partition attached; then those of `tables`
 * that it concerns are marked in `wrong`.
 */
bool describe_confirm(PGconn *conn, const struct source_table *tables, size_t count,
	const bool *read, bool *wrong);

/* True if --install has nothing to do.  Where somebody keeps the table locked for all of
 * lock_timeout, that can't be told: then it sets `locked`. */
bool describe_is_intact(PGconn *conn, const struct source_table *table, bool *locked);

#endif
