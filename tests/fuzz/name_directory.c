/*
 * Names as directories and records, both ways: whatever is taken is what the encoder writes
 * for it, and any two identifiers come back from what is written for them.
 */
#include "fuzz.h"
#include "name.h"

#include <string.h>

static void check_identifier(const char *identifier)
{
	size_t len = strlen(identifier);

	must(len > 0 && len <= 63, "an identifier has 1 to 63 bytes");
}

static void decode_first(const char *text)
{
	struct name name = {0};
	struct buf again = {0};

	if (name_from_directory(text, &name)) {
		check_identifier(name.schema);
		check_identifier(name.table);
		must(name_to_directory(&again, &name), "it fits");
		must(strcmp(again.data, text) == 0, "its directory has this name");
		must(strchr(text, '/') == NULL && text[0] != '.', "it does not climb out");
		must(!name_is_number(text), "it is no batch's name");
		name_free(&name);
		buf_reset(&again);
	}
	if (name_from_record(text, &name)) {
		name_to_record(&again, &name);
		must(strcmp(again.data, text) == 0, "its record is this text");
		name_free(&name);
		buf_reset(&again);
	}
	struct buf identifier = {0};
	if (name_decode(&identifier, text)) {
		check_identifier(identifier.data);
		name_encode(&again, identifier.data);
		must(strcmp(again.data, text) == 0, "its code is this text");
	}
	buf_free(&identifier);
	buf_free(&again);
	must(name.schema == NULL && name.table == NULL, "nothing is left");
}

static void encode_first(char *schema, char *table)
{
	struct name name = {.schema = schema, .table = table}, again = {0};
	struct buf b = {0};

	if (strlen(schema) - 1 > 62 || strlen(table) - 1 > 62)
		return;
	if (name_to_directory(&b, &name)) {
		must(b.len <= 255, "a directory's name has 255 bytes at most");
		must(name_from_directory(b.data, &again), "a directory's name can be read");
		must(name_equal(&name, &again), "and names the same table");
		name_free(&again);
	}
	buf_reset(&b);
	name_to_record(&b, &name);
	must(name_from_record(b.data, &again) && name_equal(&name, &again), "so does a record");
	name_free(&again);
	buf_free(&b);
}

/* The whole input up to a NUL is a directory's name; cut at its first newline, or else in the
 * middle, it is a schema and a table. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size + 1), *cut;

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	decode_first(text);

	size_t len = strlen(text);
	cut = strchr(text, '\n');
	if (cut == NULL)
		cut = text + len / 2;
	if (*cut != '\0') {
		char *schema = mem_string(text), *table = mem_string(cut + (*cut == '\n'));

		schema[cut - text] = '\0';
		encode_first(schema, table);
		free(schema);
		free(table);
	}
	free(text);
	return 0;
}
