/* The table that is written, as the target's catalogue describes it. */
#ifndef DML_IMPORT_TARGET_H
#define DML_IMPORT_TARGET_H

#include "columns.h"
#include "manifest.h"
#include "pg.h"

#include <stdbool.h>

struct target {
	struct name name;
	char *label; /* the name as SQL, for messages */
	char *oid;
	bool superuser; /* we are one, or can become one */

	/* Filled in by target_describe(). */
	bool plain;     /* nothing but triggers can keep it from taking the batch, */
	bool hooked;    /* and it has some, or a foreign key has */
	char *relation; /* quoted, schema-qualified */
	char *only;     /* "ONLY " or "" */
	bool bare;  /* nobody's code runs when it is written: no partitions, triggers, checks,
		       domains, nor defaults that are needed */
	char *list; /* the columns to copy, quoted */
	char *definitions;      /* key1 and so on, with the key's types here */
	char digest[HASH_TEXT]; /* of the columns that are written: each one's place and type */
	char *parts;            /* what types that somebody made are made of; NULL if none is */
	char *condition;        /* that joins table t and ids c, by the key's operators */
};

/* What queries ask of a batch's columns and key, as arrays. */
struct target_arrays {
	char *names, *types, *key;
	size_t columns, keys; /* how many */
};

/* Finds the table.  Dies with DIE_PERSON if there is none. */
void target_find(PGconn *conn, const struct name *name, struct target *t);

/* False, with a message, if it is the very table that the batch was read from. */
bool target_is_elsewhere(PGconn *conn, const struct target *t, const struct manifest *m);

/* Locks it in `mode`, ROW EXCLUSIVE or a stronger one, and so against changes of its
 * definition, until the transaction ends.  Dies with DIE_NOT_NOW if somebody else keeps it
 * locked for ten seconds: other tables must not wait for this one; with DIE_AGAIN if the name
 * is another table's by then, or none's.  Rows are waited for longer, ten minutes: another
 * table's import, for one, holds those that its foreign keys refer to; but a prepared
 * transaction that was forgotten would hold them for ever.  From then on the server ends the
 * session if it hears nothing of us for ten minutes between statements. */
void target_lock(PGconn *conn, const struct target *t, const char *mode);

/* Dies with DIE_AGAIN: the name is another table's by now, or none's. */
_Noreturn void target_die_gone(const struct target *t);

/* After target_lock(): dies with DIE_PERSON if we are a superuser and code of a role that is
 * none would run with our rights. */
void target_expect_no_strangers(PGconn *conn, const struct target *t);

/* After target_describe(): false if it can't take such a batch; all reasons are told.
 * `changed`: its columns are not those that the batch before was written to, though they should
 * be.  `doubt`, if only a full batch can follow, is what ledger_doubt() is to note, and the
 * caller's to free; else NULL. */
bool target_fits(PGconn *conn, const struct target *t, const struct manifest *m,
	const struct columns *columns, bool changed, char **doubt);

/* How the batch is written to it, if it fits. */
void target_describe(PGconn *conn, struct target *t, const struct manifest *m,
	const struct columns *columns);

/* The same columns, as text: what a ledger keeps of those that were written; the caller frees
 * it. */
char *target_columns(const struct target *t);
/* True if values that were written to `columns`, such text, still read as they did. */
bool target_is_as(const struct target *t, const char *columns);

void target_free(struct target *t);

#endif
