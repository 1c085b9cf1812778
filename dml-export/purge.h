/* Emptying shadow tables of what every target has. */
#ifndef DML_EXPORT_PURGE_H
#define DML_EXPORT_PURGE_H

#include "pg.h"

/* For messages; which of them it is, only the server's log says. */
#define PURGE_LOCKED "its shadow table, dml.tracked or dml.history is locked"

/* True if dml.purge() is as this version makes it, owner and settings included. */
bool purge_is_made(PGconn *conn);

/*
 * Before the first purge_table().  After COMMIT purges may go by the tracking state again:
 * releases the shared locks that tracking_lock() took, for the tables `oids`, an array.  False,
 * after a message, if dml.purge() must not be called: one of an older version has that one's
 * faults, and another role's may do anything.
 */
bool purge_allow(
	PGconn *conn, const struct pg_options *pg, const char *oids, const char *label);

/*
 * dml.purge() of one table, in a transaction of its own: READ COMMITTED, so that the purges of
 * two runs in the same minute don't fail each other, and what one table meets is no other's
 * affair.  DIE_NOT_NOW, without a message, if somebody keeps locked what PURGE_LOCKED says;
 * whatever else goes wrong is told as of `label`.
 */
enum die_status purge_table(PGconn *conn, const char *oid, const char *label);

#endif
