/* The importer's state in the target database: dml.ledger, dml.retired, dml.applied. */
#ifndef DML_IMPORT_LEDGER_H
#define DML_IMPORT_LEDGER_H

#include "options.h"
#include "pg.h"
#include "verdict.h"

/* Makes the ledger if it isn't there; dies where the role may not. */
void ledger_ensure(PGconn *conn);

/* True if it is there. */
bool ledger_exists(PGconn *conn);

/* Takes the table's lock until the transaction ends.  False if another importer has it. */
bool ledger_lock(PGconn *conn, const char *relation);
/* The same, but waits until a session that was lost has let go of it; dies if it does not. */
void ledger_await(PGconn *conn, const char *relation);

/* For who can become a superuser, before he writes to the ledger: dies with DIE_PERSON if code
 * of a role that is none would run then, and keeps any from being put there until the
 * transaction ends. */
void ledger_expect_no_strangers(PGconn *conn);

/* Reads what bears on a batch; `relation` is the table's oid. */
void ledger_load(
	PGconn *conn, const char *relation, const struct manifest *m, struct ledger *ledger);
void ledger_free(struct ledger *ledger);

/* What it says of a batch: verdict(). */
enum verdict ledger_judge(
	PGconn *conn, const char *relation, const struct manifest *m, bool accept_source);

/* The number of the batch that was applied last; 0 if none was. */
uint64_t ledger_number(PGconn *conn, const char *relation);

/* Batches that a full one makes needless, by what their manifests say: arrays of the same
 * length, or NULL. */
struct ledger_needless {
	char *chains;
	char *numbers;
	char *bases;
	char *seals;
};

/* What the ledger notes beside the manifest. */
struct ledger_extras {
	const struct ledger_needless *needless;
	const char *columns;  /* those that were written: target_columns() */
	const char *name;     /* that all was written by, as SQL writes it */
	const char *encoding; /* client_encoding, when the first row was sent */
	bool names;           /* values name objects: search_path says which */
};

/* What the last statement of the transaction found: it may commit only if `still` is true and
 * `changed` is empty. */
struct ledger_sight {
	bool still;        /* the name is the relation's own */
	char changed[128]; /* settings by which rows are read, and that are others now; or "" */
};

/* Notes the batch as applied; with a table's first, forgets tables that were dropped. */
void ledger_save(PGconn *conn, const char *relation, const struct manifest *m,
	const struct ledger_extras *extras, struct ledger_sight *sight);

/* Notes that the table may have lost rows, "", or values, "changed": no digest of columns is
 * that of the batch before then, and so only a full batch can follow.  Lost rows stay lost. */
void ledger_doubt(PGconn *conn, const char *relation, const char *doubt);

/* True if the ledger's last batch is this one. */
bool ledger_has(PGconn *conn, const char *relation, const struct manifest *m);

/* --install and --uninstall. */
enum die_status ledger_install(const struct options *o);
enum die_status ledger_uninstall(const struct options *o);

#endif
