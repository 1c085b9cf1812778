#include "columns.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char escaped[] = "\b\f\n\r\t\v\\", letters[] = "bfnrtv\\";

void columns_add(struct columns *c, const char *name, const char *type)
{
	c->column = mem_resize(c->column, c->count + 1, sizeof *c->column);
	c->column[c->count++] =
		(struct column){.name = mem_string(name), .type = mem_string(type)};
}

static void encode_field(struct buf *b, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		const char *special = strchr(escaped, *p);

		if (special != NULL)
			buf_format(b, "\\%c", letters[special - escaped]);
		else
			buf_byte(b, *p);
	}
}

void columns_encode(struct buf *b, const struct columns *c)
{
	for (size_t i = 0; i < c->count; i++) {
		encode_field(b, c->column[i].name);
		buf_byte(b, '\t');
		encode_field(b, c->column[i].type);
		buf_byte(b, '\n');
	}
}

/* One field up to `stop`, which is consumed; one byte at least. */
static bool decode_field(const char **at, const char *end, char stop, struct buf *b)
{
	const char *p = *at;

	for (; p < end && *p != stop; p++) {
		if (*p == '\\') {
			const char *letter =
				++p < end && *p != '\0' ? strchr(letters, *p) : NULL;

			if (letter == NULL)
				return false;
			buf_byte(b, escaped[letter - letters]);
		} else if (*p == '\0' || strchr(escaped, *p) != NULL) {
			return false;
		} else {
			buf_byte(b, *p);
		}
	}
	*at = p + 1;
	return p < end && b->len > 0;
}

bool columns_decode(const char *text, size_t len, struct columns *c)
{
	const char *at = text, *end = text + len;
	struct buf name = {0}, type = {0};
	bool good = len > 0;

	while (good && at < end) {
		buf_reset(&name);
		buf_reset(&type);
		good = c->count < COLUMNS_MAX && decode_field(&at, end, '\t', &name) &&
		       decode_field(&at, end, '\n', &type);
		if (good)
			columns_add(c, name.data, type.data);
	}
	buf_free(&name);
	buf_free(&type);
	if (!good)
		columns_free(c);
	return good;
}

void columns_free(struct columns *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->column[i].name);
		free(c->column[i].type);
	}
	free(c->column);
	*c = (struct columns){0};
}

static bool is_of_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '"' || c == '.';
}

/* True if `word` stands in the text by itself. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word))
		if ((p == text || !is_of_word(p[-1])) && !is_of_word(p[len]))
			return true;
	return false;
}

bool columns_have_names(const struct columns *c)
{
	static const char *const types[] = {"regclass", "regcollation", "regconfig",
		"regdictionary", "regnamespace", "regoper", "regoperator", "regproc",
		"regprocedure", "regrole", "regtype"};

	for (size_t i = 0; i < c->count; i++)
		for (size_t k = 0; k < sizeof types / sizeof *types; k++)
			if (has_word(c->column[i].type, types[k]))
				return true;
	return false;
}
