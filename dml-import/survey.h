/* What waits in a table's directory, and what an import would say of it; nothing is locked or
 * changed. */
#ifndef DML_IMPORT_SURVEY_H
#define DML_IMPORT_SURVEY_H

#include "find.h"
#include "pg.h"

#include <stdint.h>

struct waiting {
	uint64_t batches; /* all here, and not done yet */
	uint64_t unready; /* not all here, or refused */
	char *note;       /* what stops them, the caller frees it; or NULL */
};

/* Adds what waits in the directory of table `name`.  `relation` is the oid of the table that it
 * is for; "" if there is none, or no ledger.  What is noted already stays. */
void survey(struct waiting *w, PGconn *conn, const struct found *where, const struct name *name,
	const char *relation);

/* Speaks the encoding that the directory's name is in. */
void survey_encoding(PGconn *conn, const struct found *where);

#endif
