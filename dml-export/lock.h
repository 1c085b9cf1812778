/* The locks that keep a table as it is while its batch is read. */
#ifndef DML_EXPORT_LOCK_H
#define DML_EXPORT_LOCK_H

#include "pg.h"
#include "run.h"

/* How long whatever somebody else has locked is waited for: other tables must not wait for it.
 */
#define LOCK_PATIENCE "SET LOCAL lock_timeout = '10s';"

/* For a row of dml.tracking, which is locked while the tables are.  Bounded, too: our locks on
 * tables hold up DDL, and everybody who waits behind that. */
#define LOCK_PATIENCE_REST "SET LOCAL lock_timeout = '1min';"

/*
 * Begins the run's transaction with the locks of all its tables, base and shadow, and of those
 * of its state, as its first statements: TRUNCATE and what rewrites a table don't respect MVCC,
 * so they come before the snapshot.  A table that somebody else keeps locked for longer is told
 * and refused: the others go on without it.  `then` is SQL for after the locks, sent along with
 * them.
 */
void lock_tables(struct run *run, const char *then);

/* In a worker, whose parent has the same lock: behind somebody who waits for the
 * parent it would wait for ever.  False if it isn't to be had at once; the transaction has
 * failed then. */
bool lock_at_once(PGconn *conn, const struct source_table *t);

#endif
