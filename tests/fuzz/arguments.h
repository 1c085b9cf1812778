/*
 * A command line out of a fuzzer's input, for a parser that takes what it allocates along when
 * it ends its program:
 *
 *     arguments_split(&a, data, size);
 *     if (setjmp(*die_expect()) == 0)
 *             …parse a.value, check, free…
 *     die_unexpected();
 *     arguments_free(&a);
 *
 * With --help or --version it exits; linked with -Wl,--wrap=exit that is a die() with DIE_DONE.
 */
#ifndef DML_ARGUMENTS_H
#define DML_ARGUMENTS_H

#include "opt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arguments {
	int count;
	char **value; /* `count` of them and a NULL, the program's name first */
	char *text;   /* the input, where they stand one behind the other */
	size_t size;
};

/* Each argument ends at a NUL, the last at the input's end.  Makes getopt(3) start anew, and
 * from here on keeps account of what is allocated. */
void arguments_split(struct arguments *a, const uint8_t *data, size_t size);
/* True if `text` stands among them. */
bool arguments_hold(const struct arguments *a, const char *text);
/* How much is allocated that was not when they were split. */
size_t arguments_left(void);
/* Frees that, too. */
void arguments_free(struct arguments *a);

/* Properties of what any parser makes of them. */
void arguments_check_names(const struct opt_names *names);
void arguments_check_labels(const struct opt_labels *labels);
void arguments_check_connection(const struct arguments *a, const struct pg_options *pg);

/* What the parser leaves to its program's end. */
void arguments_free_names(struct opt_names *names);
void arguments_free_labels(struct opt_labels *labels);

#endif
