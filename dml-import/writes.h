/*
 * Has anything but the batch written to the table, or changed how its rows are read?  A trigger
 * AFTER its rows may, and COPY and DELETE would say nothing of it; the server's own counts and
 * settings tell.  They cost two queries, which a table without triggers and checks is spared.
 */
#ifndef DML_IMPORT_WRITES_H
#define DML_IMPORT_WRITES_H

#include "target.h"

#include <stdbool.h>
#include <stdint.h>

struct writes {
	bool known; /* the server counts, and somebody else might write */
	uint64_t inserted, updated, deleted;
	char settings[256]; /* that rows are read by; "" where nobody could change them */
};

/* So far; before the first row of a batch. */
void writes_begin(PGconn *conn, const struct target *t, struct writes *begin);

/* Dies with DIE_PERSON if since then other rows were written than those of the batch `number`,
 * or these may have been read by other settings. */
void writes_expect(PGconn *conn, const struct target *t, const struct writes *begin,
	uint64_t number, uint64_t inserted, uint64_t deleted);

#endif
