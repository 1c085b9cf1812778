/* dml-export's command line. */
#ifndef DML_EXPORT_OPTIONS_H
#define DML_EXPORT_OPTIONS_H

#include "opt.h"

#include <stdbool.h>

enum mode {
	MODE_EXPORT,
	MODE_INSTALL,
	MODE_UNINSTALL,
	MODE_TARGET_DDL,
	MODE_STATUS,
	MODE_FORGET
};

struct options {
	enum mode mode;
	struct pg_options pg;
	struct opt_names tables;
	struct opt_labels targets;
	const char *spool;
	char *key;      /* --key: an array in the server's text form, or NULL */
	int level;      /* -Z */
	int jobs;       /* -j */
	bool full;      /* --full */
	bool print_sql; /* --print-sql */
	bool progress;  /* --progress */
};

/* Parses, or dies with DIE_USAGE; --help and --version exit. */
void options_parse(struct options *o, int argc, char **argv);

#endif
