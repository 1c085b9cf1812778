/* Arrays in text form, as the server reads them: quoted, whatever is in them. */
#include "pg.h"
#include "tap.h"

#include <stdlib.h>

int main(void)
{
	static const char *const values[] = {"a", "", "NULL", "a,b", "{}", "say \"x\"",
		"back\\slash", " blank ", "two\nlines"};
	char *array = pg_array(values, sizeof values / sizeof *values);

	is_string(array,
		"{\"a\",\"\",\"NULL\",\"a,b\",\"{}\",\"say \\\"x\\\"\",\"back\\\\slash\","
		"\" blank \",\"two\nlines\"}",
		"every value is quoted");
	free(array);
	array = pg_array(NULL, 0);
	is_string(array, "{}", "an array of nothing");
	free(array);
	return done_testing();
}
