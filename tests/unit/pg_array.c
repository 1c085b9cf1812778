/* Arrays in text form, as the server reads them: quoted, whatever is in them. */
#include "pg.h"
#include "tap.h"

#include <stdlib.h>

static const char *const values[] = {
	"a", "", "NULL", "a,b", "{}", "say \"x\"", "back\\slash", " blank ", "two\nlines"};

enum { VALUES = sizeof values / sizeof *values };

static void test_round_trip(void)
{
	char *array = pg_array(values, VALUES);
	size_t count = 0;
	char **again = pg_array_parse(array, &count);

	is_string(array,
		"{\"a\",\"\",\"NULL\",\"a,b\",\"{}\",\"say \\\"x\\\"\",\"back\\\\slash\","
		"\" blank \",\"two\nlines\"}",
		"every value is quoted");
	is_number(count, VALUES, "all are read again");
	for (size_t i = 0; i < count && i < VALUES; i++)
		is_string(again[i], values[i], "value %zu", i);
	pg_array_free(again, count);
	free(array);
}

/* As the server writes them: quoted only where it must be. */
static const struct {
	const char *text, *first, *last;
	size_t count;
} arrays[] = {
	{"{}", NULL, NULL, 0}, {"{id}", "id", "id", 1}, {"{a,b,c}", "a", "c", 3},
	{"{\"a b\",c}", "a b", "c", 2}, {"{c,\"\"}", "c", "", 2},
	{"{\"}\",\",\"}", "}", ",", 2}, {"{\"\\\"\",\"\\\\\"}", "\"", "\\", 2},
	{"\0{a}", NULL, NULL, 0}, /* pg_text() of a NULL */
};

static void test_parse(void)
{
	for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
		size_t count = 99;
		char **parsed = pg_array_parse(arrays[i].text, &count);

		if (is_number(count, arrays[i].count, "\"%s\": its length", arrays[i].text) &&
			count > 0) {
			is_string(parsed[0], arrays[i].first, "\"%s\": the first",
				arrays[i].text);
			is_string(parsed[count - 1], arrays[i].last, "\"%s\": the last",
				arrays[i].text);
		}
		pg_array_free(parsed, count);
	}
}

int main(void)
{
	char *array = pg_array(NULL, 0);

	is_string(array, "{}", "an array of nothing");
	free(array);
	test_round_trip();
	test_parse();
	return done_testing();
}
