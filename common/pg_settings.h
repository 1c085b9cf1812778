/*
 * The settings of a session that change the text that COPY prints or reads, or how long a
 * statement may take: made ours, and seen when somebody's code has changed them.
 */
#ifndef DML_PG_SETTINGS_H
#define DML_PG_SETTINGS_H

#include "pg.h"

/* Makes them ours: pg_connect() does, and whoever has let somebody's code run in the session.
 */
void pg_pin_settings(PGconn *conn);

/* What they are now, in one row, with a column for each. */
PGresult *pg_settings(PGconn *conn);

/* The names of those that differ between two such rows, with commas, for the caller to free;
 * NULL if none does. */
char *pg_settings_changed(const PGresult *before, const PGresult *now);

#endif
