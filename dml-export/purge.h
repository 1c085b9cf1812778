/* Emptying shadow tables of what every target has. */
#ifndef DML_EXPORT_PURGE_H
#define DML_EXPORT_PURGE_H

#include "pg.h"

/*
 * dml.purge() of one table, in a transaction of its own: READ COMMITTED, so that the purges of
 * two runs in the same minute don't fail each other, and what one table meets is no other's
 * affair.  DIE_NOT_NOW, without a message, if somebody keeps the shadow table locked; whatever
 * else goes wrong is told as of `label`.
 */
enum die_status purge_table(PGconn *conn, const char *oid, const char *label);

#endif
