/* dml-import's command line. */
#ifndef DML_IMPORT_OPTIONS_H
#define DML_IMPORT_OPTIONS_H

#include "opt.h"

#include <stdbool.h>
#include <stddef.h>

enum mode { MODE_IMPORT, MODE_INSTALL, MODE_UNINSTALL, MODE_STATUS, MODE_CHECK };

struct options {
	enum mode mode;
	struct pg_options pg;
	struct opt_names tables; /* -t: none or one */
	char *const *dirs;
	size_t dir_count;
	int jobs;           /* -j */
	bool keep;          /* --keep */
	bool truncate;      /* --truncate */
	bool accept_source; /* --accept-source */
	bool as_superuser;  /* --as-superuser */
	bool print_sql;     /* --print-sql */
	bool progress;      /* --progress */
};

/* Parses, or dies with DIE_USAGE; --help and --version exit. */
void options_parse(struct options *o, int argc, char **argv);

#endif
