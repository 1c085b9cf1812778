/*
 * Has anything but the batch written to the table?  A trigger AFTER its rows may, and COPY and
 * DELETE would say nothing of it; the server's own counts tell, and the files of its
 * partitions.  They cost two queries, which a table without triggers and checks is spared.
 */
#ifndef DML_IMPORT_WRITES_H
#define DML_IMPORT_WRITES_H

#include "target.h"

#include <stdbool.h>
#include <stdint.h>

struct writes {
	bool known; /* the server counts */
	uint64_t inserted, updated, deleted;
	char *files; /* of the table and its partitions, an array; NULL if nobody else might
			write */
};

/* So far; before the first row of a batch. */
void writes_begin(PGconn *conn, const struct target *t, struct writes *begin);

/* The table was emptied by TRUNCATE, for the batch. */
void writes_anew(PGconn *conn, const struct target *t, struct writes *begin);

/* Dies with DIE_PERSON if since then other rows were written than those of the batch `number`,
 * or taken away. */
void writes_expect(PGconn *conn, const struct target *t, const struct writes *begin,
	uint64_t number, uint64_t inserted, uint64_t deleted);

void writes_free(struct writes *w);

#endif
