/*
 * What the types of a table's columns are made of.  Composites and ranges of one name may have
 * other members on the other side, and a value would be rounded on its way without a word.
 *
 * In the file `columns` it stands behind the type:
 *
 *     public.place MADE OF public.place (x integer, y real)
 */
#ifndef DML_SHAPE_H
#define DML_SHAPE_H

#include "columns.h"
#include "pg.h"

/* Those columns of the table with that oid which have one: names and, as their types, shapes.
 * The caller frees them.  `names`, an array of the server's, are those that are asked for, NULL
 * all; an error's message begins with `label`. */
void shape_load(PGconn *conn, const char *oid, const char *names, const char *label,
	struct columns *shapes);

/* Adds to each column's type what it is made of. */
void shape_add(PGconn *conn, const char *oid, struct columns *columns);

#endif
