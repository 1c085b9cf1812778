/*
 * Filling an empty table: its indexes, the key's too, are dropped before the rows and made
 * after them, in the same transaction, as pg_restore does.  Sorting once is cheaper than
 * looking for every row's place.
 */
#ifndef DML_IMPORT_INDEXES_H
#define DML_IMPORT_INDEXES_H

#include "pg.h"
#include "target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct indexes {
	char **create;
	size_t count;
};

/* Drops what can be made again just as it was; nothing for less than some thousand rows. Unless
 * we are `alone`, by our lock, nothing either while anybody else uses the table: to wait for a
 * reader that stands idle in its transaction would stop all readers that come after it. */
void indexes_drop(
	PGconn *conn, const struct target *t, uint64_t rows, bool alone, struct indexes *x);

/* Makes them again and frees `x`. */
void indexes_make(PGconn *conn, const struct target *t, struct indexes *x);
/* Where the transaction was rolled back, they are there. */
void indexes_free(struct indexes *x);

#endif
