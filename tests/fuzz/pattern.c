/*
 * Patterns of table names: what is quoted stands for itself and for nothing else; and whatever
 * is taken is a pair of expressions anchored at both ends.
 */
#include "pattern.h"

#include "buf.h"
#include "fuzz.h"

#include <regex.h>
#include <string.h>

enum { REGEX_EACH = 16 }; /* names: an expression costs more to compile than all else */

static bool matches(const regex_t *regex, const char *text)
{
	return regexec(regex, text, 0, NULL, 0) == 0;
}

static void quote(struct buf *b, const char *text)
{
	buf_byte(b, '"');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"')
			buf_byte(b, '"');
		buf_byte(b, *p);
	}
	buf_byte(b, '"');
}

/* Between its anchors is nothing but the name, each byte that means more behind a backslash. */
static void check_literal(const char *expression, const char *name)
{
	const char *p = expression + 2;

	must(strncmp(expression, "^(", 2) == 0, "it begins at the beginning");
	for (; *name != '\0'; name++) {
		if (*p == '\\')
			p++;
		else
			must(strchr("|*+?()[]{}.^$", *p) == NULL, "no byte means more");
		must(*p++ == *name, "each byte stands for itself");
	}
	must(strcmp(p, ")$") == 0, "it ends at the end");
}

/* What the C library makes of it. */
static void check_regex(const char *expression, char *name)
{
	regex_t regex;
	size_t len = strlen(name);

	must(regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB) == 0, "it is an expression");
	must(matches(&regex, name), "that stands for itself");
	for (size_t i = 0; i < len && i < 8; i++) {
		char before = name[i];

		name[i] = before == 'x' ? 'y' : 'x';
		must(!matches(&regex, name), "but for nothing else");
		name[i] = before;
	}
	regfree(&regex);
}

static void check_quoted(char *name)
{
	struct pattern pattern;
	struct buf b = {0};

	quote(&b, name);
	buf_byte(&b, '.');
	quote(&b, name);
	must(pattern_parse(b.data, &pattern), "a quoted name is a pattern");
	must(strcmp(pattern.schema, pattern.table) == 0, "of the same two parts");
	check_literal(pattern.table, name);
	if (*name % REGEX_EACH == 0)
		check_regex(pattern.table, name);
	pattern_free(&pattern);
	buf_free(&b);
}

static void check_anchors(const char *expression)
{
	size_t len = strlen(expression);

	must(len >= 5 && strncmp(expression, "^(", 2) == 0 &&
			strcmp(expression + len - 2, ")$") == 0,
		"it is anchored, and not empty");
}

static void check_any(const char *text)
{
	struct pattern pattern = {0};

	if (!pattern_parse(text, &pattern)) {
		must(pattern.schema == NULL && pattern.table == NULL && pattern.text == NULL,
			"nothing is allocated");
		return;
	}
	check_anchors(pattern.schema);
	check_anchors(pattern.table);
	must(strcmp(pattern.text, text) == 0, "it is known as it was given");
	pattern_free(&pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size + 1);

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_any(text);
	if (*text != '\0' && strlen(text) <= 63)
		check_quoted(text);
	free(text);
	return 0;
}
