/* From a file of the batch to COPY FROM STDIN, hashed and watched on the way. */
#ifndef DML_IMPORT_FEED_H
#define DML_IMPORT_FEED_H

#include "batch.h"
#include "pg.h"

/*
 * Each sends one file and dies unless what was sent is what the manifest announces, in bytes,
 * hash and rows.  `what` begins the message of a server's error.  What the server says to the
 * rows once it has them all is the caller's to die with: NULL if it took them.
 */
void feed_ids(PGconn *conn, const struct batch *b, const char *what);
PGresult *feed_rows(
	PGconn *conn, const struct batch *b, const char *copy_sql, const char *what);

#endif
