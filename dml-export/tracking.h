/* The exporter's state in the source database: dml.tracking and dml.history. */
#ifndef DML_EXPORT_TRACKING_H
#define DML_EXPORT_TRACKING_H

#include "run.h"

/* Takes the advisory lock of each chain that isn't dropped; one that is held is dropped, with
 * a message.  Holds back the purge of all tables too, until purge_allow().  The locks end with
 * the session. */
void tracking_lock(struct run *run);
/* When all is done: the session may outlive us by a moment, and the next run would meet it. */
void tracking_unlock(struct run *run);
/* Waits until a session of this run that was lost has let go of them; dies if it does not. */
void tracking_await(struct run *run);

/* Reads how far each chain has come, and what forces a full batch upon it. */
void tracking_load(struct run *run);

/* Before the first tracking_save(): dies if whoever runs this can become a superuser and
 * writing there would run code of somebody who is none. */
void tracking_expect_no_strangers(const struct run *run);

/* Writes the state after c->manifest's batch. */
void tracking_save(const struct run *run, const struct chain *c);

/* True if this batch was committed. */
bool tracking_knows(PGconn *conn, const struct chain *c, uint64_t number, const char *seal);

/* True if any batch of this number was. */
bool tracking_knows_number(PGconn *conn, const struct chain *c, uint64_t number);

/*
 * True if the database had the name in `m`, a manifest of this cluster, when that was written:
 * the batch goes on in this chain, or takes its place, and no database has that name now.
 */
bool tracking_was_called(PGconn *conn, const struct chain *c, const struct manifest *m);

#endif
