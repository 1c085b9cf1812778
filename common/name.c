#include "name.h"

#include <stdlib.h>
#include <string.h>

enum { IDENTIFIER_MAX = 63, FILE_NAME_MAX = 255, NUMBER_DIGITS = 10 };

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
}

static bool is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

/* One identifier at *s, quoted or not; moves *s behind it. */
static bool parse_identifier(const char **s, struct buf *out)
{
	const char *p = *s;

	if (*p == '"') {
		for (p++; *p != '\0' && (*p != '"' || p[1] == '"'); p++) {
			if (*p == '"')
				p++;
			buf_byte(out, *p);
		}
		if (*p++ != '"')
			return false;
	} else {
		if (is_digit(*p) || *p == '$')
			return false;
		for (; is_word(*p) || *p == '$' || !is_ascii(*p); p++)
			buf_byte(out, is_upper(*p) ? (char)(*p - 'A' + 'a') : *p);
	}
	*s = p;
	return out->len > 0 && out->len <= IDENTIFIER_MAX;
}

bool name_parse(const char *text, struct name *name)
{
	struct buf first = {0}, second = {0};
	bool good = parse_identifier(&text, &first);

	if (good && *text == '.') {
		text++;
		good = parse_identifier(&text, &second);
	}
	if (!good || *text != '\0') {
		buf_free(&first);
		buf_free(&second);
		return false;
	}
	if (second.len > 0)
		*name = (struct name){.schema = first.data, .table = second.data};
	else
		*name = (struct name){.schema = mem_string("public"), .table = first.data};
	return true;
}

char *name_parse_identifier(const char *text)
{
	struct buf b = {0};

	if (parse_identifier(&text, &b) && *text == '\0')
		return b.data;
	buf_free(&b);
	return NULL;
}

void name_free(struct name *name)
{
	free(name->schema);
	free(name->table);
	*name = (struct name){0};
}

bool name_equal(const struct name *a, const struct name *b)
{
	return strcmp(a->schema, b->schema) == 0 && strcmp(a->table, b->table) == 0;
}

static void quote_identifier(struct buf *b, const char *identifier)
{
	bool plain = !is_digit(*identifier);

	for (const char *p = identifier; *p != '\0'; p++)
		if (!is_word(*p) || is_upper(*p))
			plain = false;
	if (plain) {
		buf_string(b, identifier);
		return;
	}
	buf_byte(b, '"');
	for (const char *p = identifier; *p != '\0'; p++) {
		if (*p == '"')
			buf_byte(b, '"');
		buf_byte(b, *p);
	}
	buf_byte(b, '"');
}

void name_to_sql(struct buf *b, const struct name *name)
{
	quote_identifier(b, name->schema);
	buf_byte(b, '.');
	quote_identifier(b, name->table);
}

void name_encode(struct buf *b, const char *identifier)
{
	for (const char *p = identifier; *p != '\0'; p++) {
		if (is_word(*p) || *p == '-' || !is_ascii(*p))
			buf_byte(b, *p);
		else
			buf_format(b, "%%%02X", (unsigned char)*p);
	}
}

static int hex_digit(char c)
{
	return is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes without asking whether it was canonical. */
static bool decode_loosely(struct buf *b, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p != '%') {
			buf_byte(b, *p);
			continue;
		}
		int high = hex_digit(p[1]);
		int low = high < 0 ? -1 : hex_digit(p[2]);

		if (low < 0 || (high == 0 && low == 0))
			return false;
		buf_byte(b, (char)(high * 16 + low));
		p += 2;
	}
	return b->len > 0 && b->len <= IDENTIFIER_MAX;
}

bool name_decode(struct buf *b, const char *text)
{
	struct buf again = {0};
	bool good = decode_loosely(b, text);

	if (good)
		name_encode(&again, buf_text(b));
	good = good && strcmp(buf_text(&again), text) == 0;
	buf_free(&again);
	return good;
}

bool name_is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits >= NUMBER_DIGITS && text[digits] == '\0';
}

bool name_to_directory(struct buf *b, const struct name *name)
{
	size_t start = b->len;

	if (strcmp(name->schema, "public") != 0) {
		name_to_record(b, name);
	} else if (name_is_number(name->table)) {
		buf_format(b, "%%%02X", (unsigned char)name->table[0]);
		name_encode(b, name->table + 1);
	} else {
		name_encode(b, name->table);
	}
	return b->len - start <= FILE_NAME_MAX;
}

/* Splits at the first dot, which no encoded identifier contains, and decodes both. */
static bool split(const char *text, struct name *name, bool loosely)
{
	const char *dot = strchr(text, '.');
	char *first = mem_string(text);
	struct buf schema = {0}, table = {0};
	bool good;

	if (dot != NULL)
		first[dot - text] = '\0';
	if (dot == NULL)
		good = loosely && decode_loosely(&table, text);
	else
		good = name_decode(&schema, first) && name_decode(&table, dot + 1);
	free(first);
	if (!good) {
		buf_free(&schema);
		buf_free(&table);
		return false;
	}
	name->schema = dot == NULL ? mem_string("public") : schema.data;
	name->table = table.data;
	return true;
}

bool name_from_directory(const char *directory, struct name *name)
{
	struct buf again = {0};
	bool good = split(directory, name, true);

	if (good && (!name_to_directory(&again, name) ||
			    strcmp(buf_text(&again), directory) != 0)) {
		name_free(name);
		good = false;
	}
	buf_free(&again);
	return good;
}

void name_to_record(struct buf *b, const struct name *name)
{
	name_encode(b, name->schema);
	buf_byte(b, '.');
	name_encode(b, name->table);
}

bool name_from_record(const char *record, struct name *name)
{
	return split(record, name, false);
}

/* One part of a label; `length` bytes of it. */
static bool label_part(const char *part, size_t length)
{
	if (length == 0 || length > FILE_NAME_MAX || part[0] == '.' || part[0] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_word(part[i]) && part[i] != '.' && part[i] != '-')
			return false;
	return true;
}

bool label_parse(const char *text, struct label *label)
{
	size_t host = strcspn(text, "/");

	if (text[host] != '/' || !label_part(text, host) ||
		!label_part(text + host + 1, strlen(text + host + 1)))
		return false;
	label->text = mem_string(text);
	label->host = mem_string(text);
	label->host[host] = '\0';
	label->db = mem_string(text + host + 1);
	if (name_is_number(label->host) || name_is_number(label->db)) {
		label_free(label);
		return false;
	}
	return true;
}

void label_free(struct label *label)
{
	free(label->host);
	free(label->db);
	free(label->text);
	*label = (struct label){0};
}
