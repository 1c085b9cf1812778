/*
 * What a user writes on a command line: a table, a column, a target.  What is taken can be
 * written as SQL would want it, and is then read as the same.
 */
#include "fuzz.h"
#include "name.h"

#include <string.h>

static void check_table(const char *text)
{
	struct name name = {0}, again = {0};
	struct buf b = {0};

	if (!name_parse(text, &name)) {
		must(name.schema == NULL && name.table == NULL, "nothing is allocated");
		return;
	}
	must(*name.schema != '\0' && strlen(name.schema) <= 63, "a schema of 1 to 63 bytes");
	must(*name.table != '\0' && strlen(name.table) <= 63, "a table of 1 to 63 bytes");
	name_to_sql(&b, &name);
	must(name_parse(b.data, &again) && name_equal(&name, &again),
		"written as SQL it is read as the same");
	buf_free(&b);
	name_free(&name);
	name_free(&again);
}

static void check_column(const char *text)
{
	char *column = name_parse_identifier(text);

	if (column != NULL)
		must(*column != '\0' && strlen(column) <= 63, "a column of 1 to 63 bytes");
	free(column);
}

static void check_part(const char *part)
{
	must(strlen(part) > 0 && strlen(part) <= 255, "a part of 1 to 255 bytes");
	must(part[0] != '.' && part[0] != '-', "it begins with no dot and no dash");
	must(strspn(part,
		     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
			strlen(part),
		"it is of harmless characters");
	must(!name_is_number(part), "it is no batch's name");
}

static void check_label(const char *text)
{
	struct label label = {0};
	char *again;

	if (!label_parse(text, &label)) {
		must(label.text == NULL && label.host == NULL && label.db == NULL,
			"nothing is allocated");
		return;
	}
	check_part(label.host);
	check_part(label.db);
	again = mem_format("%s/%s", label.host, label.db);
	must(strcmp(label.text, text) == 0 && strcmp(again, text) == 0, "it is HOST/DB");
	free(again);
	label_free(&label);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size + 1);

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_table(text);
	check_column(text);
	check_label(text);
	free(text);
	return 0;
}
