/* Commands that hints name, to be pasted into a shell.  The caller frees them. */
#ifndef DML_IMPORT_COMMAND_H
#define DML_IMPORT_COMMAND_H

#include "manifest.h"
#include "options.h"
#include "spool.h"

/* How to have all rows again; run on the source. */
char *command_full(const struct manifest *m);

/* This run's own command, of this table alone and with --accept-source. */
char *command_accept(const struct options *o, const struct spool_dir *table);

#endif
