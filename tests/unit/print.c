/* A table on standard output: cells escaped, columns aligned by characters. */
#include "print.h"

#include "scratch.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints cells, up to a NULL, to the scratch file "out". */
struct printing {
	size_t columns;
	const char *const *cells;
};

static void print(const void *context)
{
	const struct printing *p = context;
	struct print_table t;
	char *path = scratch_path("out");

	if (freopen(path, "w", stdout) == NULL)
		exit(99);
	print_begin(&t, p->columns);
	for (const char *const *cell = p->cells; *cell != NULL; cell++)
		print_cell(&t, *cell);
	print_end(&t);
	free(path);
}

static void prints(size_t columns, const char *const *cells, const char *out, const char *test)
{
	size_t len;

	ends(print, &(struct printing){columns, cells}, 0, "", test);
	char *printed = scratch_read("out", &len);
	is_string(printed, out, "%s: as expected", test);
	free(printed);
}

int main(void)
{
	static const char *const none[] = {NULL};
	static const char *const one[] = {"name", "x", NULL};
	static const char *const table[] = {
		"table", "rows", "when", "users", "12345", "now", "o", "", "", NULL};
	static const char *const odd[] = {
		"name", "n", "\xc3\xa4\xe2\x82\xac", "1", "\x1b[31m", "2", NULL};

	scratch();
	prints(2, none, "", "nothing");
	prints(1, one, "name\nx\n", "a single column");
	prints(3, table,
		"table  rows   when\n"
		"users  12345  now\n"
		"o             \n",
		"as wide as the widest");
	prints(2, odd,
		"name      n\n"
		"\xc3\xa4\xe2\x82\xac        1\n"
		"\\x1b[31m  2\n",
		"characters count, not bytes; nothing controls the terminal");
	return done_testing();
}
