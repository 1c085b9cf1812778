/* What COPY TO writes, and what it never does, in whatever pieces it comes. */
#include "copy_text.h"

#include "tap.h"

#include <string.h>

static const struct {
	const char *test, *text;
	bool good;
} texts[] = {
	{"nothing", "", true},
	{"rows", "1\tone\n2\ttwo\n", true},
	{"a row without its newline", "1\tone", true},
	{"NULL", "1\t\\N\n", true},
	{"all escapes", "\\b\\f\\n\\r\\t\\v\\\\\n", true},
	{"an escaped backslash before a dot", "1\tC:\\\\.config\n", true},
	{"two of them", "1\t\\\\\\\\.\n", true},
	{"an escaped backslash at the end", "1\t\\\\", true},
	{"dots", "...\n.\n", true},
	{"an end-of-data marker", "\\.\n", false},
	{"after a row", "1\tone\n\\.\n", false},
	{"at a row's end", "1\tone\\.\n2\ttwo\n", false},
	{"within a row", "1\to\\.ne\n", false},
	{"behind an escaped backslash", "1\t\\\\\\.\n", false},
	{"without a newline", "1\tone\n\\.", false},
	{"far away", "1\tonetwothreefourfivesixseveneightnineten\\.\n", false},
	{"an escaped newline", "1\tone\\\n", false},
	{"an escaped letter", "1\t\\one\n", false},
	{"a byte by its number", "1\t\\x41\n", false},
	{"a NULL of another letter", "1\t\\M\n", false},
	{"an escaped byte above ASCII", "1\t\\\xce\n", false},
	{"a lone backslash at the end", "1\tone\\", false},
};

static bool takes(const char *text, size_t piece)
{
	struct copy_text t = {0};
	size_t len = strlen(text);

	for (size_t done = 0; done < len; done += piece)
		if (!copy_text_next(&t, text + done, piece < len - done ? piece : len - done))
			return false;
	return copy_text_next(&t, text, 0) && copy_text_ended(&t);
}

int main(void)
{
	struct copy_text nul = {0}, bare = {0}, row = {0};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (size_t piece = 1; piece <= 3; piece++)
			ok(takes(texts[i].text, piece) == texts[i].good, "%s, %zu at a time",
				texts[i].test, piece);
		ok(takes(texts[i].text, 1000) == texts[i].good, "%s, at once", texts[i].test);
	}
	ok(!copy_text_next(&nul, "1\t\\\0\n", 5), "an escaped NUL");
	ok(!copy_text_next(&bare, "", 1), "a NUL");
	ok(!copy_text_next(&row, "1\tone\n2\ttwo\0\n", 13), "a NUL at a row's end");
	return done_testing();
}
