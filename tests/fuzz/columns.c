/*
 * The `columns` file, both ways: what columns_decode() takes, the encoder writes again; and
 * any names and types that are written can be read.
 */
#include "columns.h"

#include "fuzz.h"

#include <string.h>

static void decode_first(const char *text, size_t len)
{
	struct columns c = {0};
	struct buf again = {0};

	if (!columns_decode(text, len, &c)) {
		must(c.column == NULL && c.count == 0, "what is refused leaves nothing");
		return;
	}
	must(c.count <= COLUMNS_MAX, "there are not too many");
	for (size_t i = 0; i < c.count; i++)
		must(*c.column[i].name != '\0' && *c.column[i].type != '\0', "none is empty");
	columns_encode(&again, &c);
	must(again.len == len && memcmp(buf_text(&again), text, len) == 0,
		"encoded, it is the same");
	buf_free(&again);
	columns_free(&c);
}

/* The input's strings, an even number of them that aren't empty, each ended by a NUL. */
static void take_columns(const char *text, size_t len, struct columns *c)
{
	const char *name = NULL, *end = text + len;

	while (text < end && memchr(text, '\0', (size_t)(end - text)) != NULL) {
		if (*text != '\0' && name != NULL) {
			columns_add(c, name, text);
			name = NULL;
		} else if (*text != '\0') {
			name = text;
		}
		text += strlen(text) + 1;
	}
}

static void encode_first(const char *text, size_t len)
{
	struct columns c = {0}, again = {0};
	struct buf b = {0};

	take_columns(text, len, &c);
	columns_encode(&b, &c);
	bool good = columns_decode(buf_text(&b), b.len, &again);
	must(good == (c.count > 0 && c.count <= COLUMNS_MAX), "what was written can be read");
	must(!good || again.count == c.count, "all of it");
	for (size_t i = 0; i < again.count; i++)
		must(strcmp(c.column[i].name, again.column[i].name) == 0 &&
				strcmp(c.column[i].type, again.column[i].type) == 0,
			"and it is the same");
	buf_free(&b);
	columns_free(&c);
	columns_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode_first((const char *)data, size);
	encode_first((const char *)data, size);
	return 0;
}
