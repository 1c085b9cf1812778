/* Finds the code of others than superusers that a superuser would run by writing to a table. */
#ifndef DML_STRANGERS_H
#define DML_STRANGERS_H

#include "pg.h"

/* Dies with DIE_PERSON if such code would run when one of the `tables`, an array of regclass,
 * is written.  They are locked already, or it might be put there only then; `what` they are. */
void strangers_expect_none(
	PGconn *conn, const char *tables, const char *what, const char *hint);

#endif
