#include "pattern.h"

#include "buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char special[] = "|*+?()[]{}.^$\\";

static void add_literal(struct buf *b, char c)
{
	if (strchr(special, c) != NULL)
		buf_byte(b, '\\');
	buf_byte(b, c);
}

static void add_unquoted(struct buf *b, char c)
{
	if (c == '*')
		buf_string(b, ".*");
	else if (c == '?')
		buf_byte(b, '.');
	else if (c == '$')
		buf_string(b, "\\$");
	else
		buf_byte(b, (unsigned char)c < 0x80 ? (char)tolower((unsigned char)c) : c);
}

/* One part, up to an unquoted dot or the end; moves *s to it. */
static bool parse_part(const char **s, struct buf *b)
{
	bool quoted = false;
	const char *p = *s;
	size_t begin;

	buf_string(b, "^(");
	begin = b->len;
	for (; *p != '\0' && (quoted || *p != '.'); p++) {
		if (*p == '"' && quoted && p[1] == '"')
			add_literal(b, *p++);
		else if (*p == '"')
			quoted = !quoted;
		else if (quoted)
			add_literal(b, *p);
		else
			add_unquoted(b, *p);
	}
	if (quoted || b->len == begin)
		return false;
	buf_string(b, ")$");
	*s = p;
	return true;
}

bool pattern_parse(const char *text, struct pattern *pattern)
{
	struct buf first = {0}, second = {0};
	const char *at = text;
	bool good = parse_part(&at, &first);

	if (good && *at == '.') {
		at++;
		good = parse_part(&at, &second);
	}
	if (!good || *at != '\0') {
		buf_free(&first);
		buf_free(&second);
		return false;
	}
	if (second.len == 0) {
		second = first;
		first = (struct buf){0};
		buf_string(&first, "^(public)$");
	}
	*pattern = (struct pattern){
		.schema = first.data, .table = second.data, .text = mem_string(text)};
	return true;
}

void pattern_free(struct pattern *pattern)
{
	free(pattern->schema);
	free(pattern->table);
	free(pattern->text);
	*pattern = (struct pattern){0};
}
