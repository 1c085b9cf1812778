/*
 * Patterns of table names, as psql's \d takes them: * and ? stand for any characters and any
 * one, other characters of regular expressions keep their meaning, but for $, which is literal;
 * what is quoted is literal, what isn't folds to lower case; without a schema it is public.
 */
#ifndef DML_PATTERN_H
#define DML_PATTERN_H

#include <stdbool.h>

/* Regular expressions of PostgreSQL's, anchored at both ends. */
struct pattern {
	char *schema;
	char *table;
	char *text; /* as given */
};

/* False if the text is no pattern; nothing is allocated then. */
bool pattern_parse(const char *text, struct pattern *pattern);
void pattern_free(struct pattern *pattern);

#endif
