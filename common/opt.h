/* What both programs' command lines have in common. */
#ifndef DML_OPT_H
#define DML_OPT_H

#include "buf.h"
#include "name.h"
#include "pattern.h"
#include "pg.h"

#include <getopt.h>

/* What -t names: tables, and patterns of them that the catalogue turns into tables. */
struct opt_names {
	struct name *name;
	size_t count;
	struct pattern *pattern;
	size_t patterns;
};

/* What -T names. */
struct opt_labels {
	struct label *label;
	size_t count;
};

/* "try 'PROGRAM --help'", for every usage error's hint. */
const char *opt_try_help(void);

/* Adds a table once, and takes the name over. */
void opt_add_name(struct opt_names *names, struct name *name);

/* Each dies with DIE_USAGE if the argument isn't what it should be. */
void opt_add_table(struct opt_names *names, const char *argument);
void opt_add_tables(struct opt_names *names, const char *argument); /* or a pattern */
void opt_add_target(struct opt_labels *labels, const char *argument);
int opt_number(const char *option, const char *argument, int least, int most);

/* Dies unless it was given; dies if it was, to a call that takes no such thing. */
void opt_need(bool given, const char *what);
void opt_refuse(bool given, const char *call, const char *what);

/*
 * getopt_long(3), which dies of what is no option, of one that lacks its argument and of an
 * argument too much; what stands behind an = is not repeated.  `letters` begin with a colon,
 * and the options that have none are numbered from 256.
 */
int opt_next(int argc, char **argv, const char *letters, const struct option *options);

/* --help and --version. */
_Noreturn void opt_print_and_exit(const char *text);
_Noreturn void opt_print_version(const char *library);

/* Takes -d, -h, -p or -U; a port that is none is a usage error.  False if `letter` is none of
 * them. */
bool opt_connection(struct pg_options *options, int letter, char *argument);
/* True if any was given. */
bool opt_is_connection(const struct pg_options *options);

/* For a hint that holds a command: text as one word of a shell's, and the options that lead to
 * the same database, each with a space before it; none holds a password. */
void opt_add_word(struct buf *b, const char *text);
void opt_add_option(struct buf *b, const char *option, const char *value); /* or NULL */
void opt_add_connection(struct buf *b, const struct pg_options *options);

/* Flushes standard output; dies if anything that was printed did not arrive. */
void opt_close_stdout(void);

#endif
