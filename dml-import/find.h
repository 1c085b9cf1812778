/* From arguments to tables' directories: a DIR is a batch, a table's directory, or a tree. */
#ifndef DML_IMPORT_FIND_H
#define DML_IMPORT_FIND_H

#include "die.h"
#include "spool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One table's directory, or some batches in it.  It stays open: what stands at its path later
 * may be something else. */
struct found {
	struct spool_dir dir;
	char *name;       /* the directory's own, which says what table it is */
	uint64_t *number; /* the batches that were named; none where all are meant */
	size_t numbers;
};

struct find {
	struct found *found;
	size_t count;
	enum die_status status; /* the worst of what could not be looked into, and was told */
};

/* What is missing or can't be read is told and noted in `status`; the others go on.  No link
 * below an argument is followed. */
void find_all(struct find *f, char *const *arguments, size_t count);

/* The name of the table that a directory stands for.  Dies with DIE_PERSON if it is no name of
 * one, or one that find_permit() refuses. */
void find_table(const struct found *found, struct name *name);

/* Dies with DIE_PERSON if no spool may write the table, whoever names it: the ledger itself,
 * and the server's own.  `hint` says what to do about the name. */
void find_permit(const struct name *name, const char *hint);

/* True if the batch is one of those that are meant. */
bool find_means(const struct found *found, uint64_t number);

#endif
