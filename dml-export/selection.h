/* How the rows of one table are read: what the queries of an export are made of. */
#ifndef DML_EXPORT_SELECTION_H
#define DML_EXPORT_SELECTION_H

#include "columns.h"
#include "die.h"
#include "pg.h"
#include "source.h"

struct selection {
	struct columns columns;
	char *list;      /* the columns, quoted */
	char *base_list; /* the same, each with b. before it */
	char *ids;       /* key1, key2, … of the shadow table, after a SELECT DISTINCT that
			  * tells them apart by how they are written */
	char *base_key;  /* the same columns, told apart as the base table's index does */
	char *condition; /* that joins base table b and changed keys c, by the key's operators
			  */
};

/* After describe_tables().  DIE_PERSON, after a message, if no index finds rows by the key. */
enum die_status selection_make(
	PGconn *conn, const struct source_table *table, struct selection *selection);
void selection_free(struct selection *selection);

#endif
