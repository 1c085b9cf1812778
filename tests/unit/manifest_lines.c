/*
 * Manifests that are sealed, and so no accident, but not what our encoder writes: each
 * mutation replaces one piece of a good manifest's text, which is then sealed again.
 */
#include "manifest.h"
#include "sample.h"
#include "tap.h"

#include <string.h>

struct mutation {
	const char *test, *from, *to;
	const char *wrong; /* the line that is named as wrong */
};

#define UUID "0a1b2c3d-4e5f-6789-abcd-ef0123456789"
#define KEY_32 "a b c d e f g h i j k l m n o p q r s t u v w x y z aa ab ac ad ae af"

/* Still good, or good for a newer program. */
static const struct {
	const char *test, *from, *to;
	enum manifest_state state;
} harmless[] = {
	{"nothing", "format 1\n", "format 1\n", MANIFEST_GOOD},
	{"a newer format", "format 1\n", "format 2\n", MANIFEST_NEWER},
	{"a newer format, other lines", "format 1\ntarget", "format 17\nnew x\ntarget",
		MANIFEST_NEWER},
	{"the greatest format", "format 1\n", "format 4294967295\n", MANIFEST_NEWER},
	{"32 columns of a key", "key id Part%2E2", "key " KEY_32, MANIFEST_GOOD},
	{"another retired chain", "retires -", "retires " UUID " 7", MANIFEST_GOOD},
};

static const struct mutation mutations[] = {
	{"format 0", "format 1\n", "format 0\n", "format"},
	{"format 01", "format 1\n", "format 01\n", "format"},
	{"a newer format, not canonical", "format 1\n", "format 02\n", "format"},
	{"a newer format and a blank", "format 1\n", "format 2 \n", "format"},
	{"format 1.5", "format 1\n", "format 1.5\n", "format"},
	{"no format", "format 1\n", "", "format"},
	{"a line before the format", "format 1\n", "\nformat 1\n", "format"},
	{"a byte order mark", "format 1\n",
		"\xef\xbb\xbf"
		"format 1\n",
		"format"},
	{"CRLF", "format 1\n", "format 1\r\n", "format"},

	{"no target", "target replica1/app\n", "", "target"},
	{"a target of one part", "replica1/app", "replica1", "target"},
	{"a target of three parts", "replica1/app", "replica1/app/x", "target"},
	{"a target that climbs out", "replica1/app", "../app", "target"},
	{"a target with a blank", "replica1/app", "replica1/a b", "target"},
	{"a target of a batch's name", "replica1/app", "0000000042/app", "target"},
	{"an empty target", "replica1/app", "", "target"},

	{"no table", "table sales.odd%20name\n", "", "table"},
	{"a table without schema", "table sales.", "table ", "table"},
	{"a table of three parts", "table sales.", "table a.b.", "table"},
	{"a table not canonical", "table sales.", "table %73ales.", "table"},
	{"a table with a blank", "odd%20name", "odd name", "table"},
	{"an empty table", "table sales.odd%20name", "table ", "table"},
	{"a table with a slash", "odd%20name", "../name", "table"},
	{"in upper case", "table ", "TABLE ", "table"},

	{"no key", "key id Part%2E2\n", "", "key"},
	{"a key without columns", "key id Part%2E2\n", "key\n", "key"},
	{"a key of a blank", "key id Part%2E2\n", "key \n", "key"},
	{"two blanks in the key", "key id ", "key id  ", "key"},
	{"a blank after the key", "Part%2E2\n", "Part%2E2 \n", "key"},
	{"a key not canonical", "key id ", "key %69d ", "key"},
	{"a key with a raw dot", "Part%2E2", "Part.2", "key"},
	{"33 columns of a key", "key id Part%2E2", "key " KEY_32 " ag", "key"},

	{"another scope", "scope changes", "scope some", "scope"},
	{"more than a scope", "scope changes", "scope changes full", "scope"},
	{"full, with ids", "scope changes", "scope full", "scope"},
	{"scope in upper case", "scope changes", "scope Changes", "scope"},

	{"number 0", "number 42", "number 0", "number"},
	{"a leading zero", "number 42", "number 042", "number"},
	{"a sign", "number 42", "number +42", "number"},
	{"a negative number", "number 42", "number -42", "number"},
	{"a number of 64 bits", "number 42", "number 9223372036854775808", "number"},
	{"a number beyond 64 bits", "number 42", "number 18446744073709551658", "number"},
	{"two blanks", "number 42", "number  42", "number"},
	{"a tab", "number 42", "number\t42", "number"},
	{"a blank at the end", "number 42\n", "number 42 \n", "number"},
	{"no number", "number 42", "number ", "number"},
	{"the number of its base", "number 42", "number 41", "number"},
	{"a number before its base", "number 42", "number 40", "number"},

	{"changes without a base", "base 41 ", "base 0 ", "base"},
	{"a base without a seal", "base 41 ", "base 41 -", "base"},
	{"a base in hexadecimal", "base 41 ", "base 0x29 ", "base"},
	{"a base with a leading zero", "base 41 ", "base 041 ", "base"},
	{"a base beyond 64 bits", "base 41 ", "base 18446744073709551616 ", "base"},
	{"the greatest base", "base 41 ", "base 18446744073709551615 ", "number"},

	{"a chain in upper case", "chain 0a", "chain 0A", "chain"},
	{"a chain too short", UUID, "0a1b2c3d-4e5f-6789-abcd-ef012345678", "chain"},
	{"a chain too long", UUID, UUID "0", "chain"},
	{"a chain in braces", UUID, "{" UUID "}", "chain"},
	{"a chain without dashes", UUID, "0a1b2c3d4e5f6789abcdef0123456789", "chain"},
	{"no chain", "chain " UUID "\n", "", "chain"},

	{"retires without a number", "retires -", "retires " UUID, "retires"},
	{"retires number 0", "retires -", "retires " UUID " 0", "retires"},
	{"retires a word", "retires -", "retires none", "retires"},
	{"retires two", "retires -", "retires - " UUID, "retires"},
	{"retires nothing", "retires -", "retires ", "retires"},

	{"no system", "system 7123456789012345678", "system ", "system"},
	{"a system of two words", "system 71", "system 7 1", "system"},
	{"a system with a sign", "system 71", "system -71", "system"},
	{"a system in words", "system 71", "system x71", "system"},
	{"a system of 65 bits", "7123456789012345678", "18446744073709551616", "system"},
	{"two lines swapped", "system 7123456789012345678\ntimeline 3\n",
		"timeline 3\nsystem 7123456789012345678\n", "system"},
	{"a timeline of 33 bits", "timeline 3", "timeline 4294967296", "timeline"},
	{"a timeline in words", "timeline 3", "timeline three", "timeline"},
	{"a database not canonical", "database app", "database %61pp", "database"},
	{"a database with a quote", "database app", "database a'pp", "database"},
	{"a group of none", "group 2", "group 0", "group"},
	{"a group of 33 bits", "group 2", "group 4294967296", "group"},
	{"a line twice", "group 2\n", "group 2\ngroup 2\n", "snapshot"},
	{"an unknown line", "group 2\n", "group 2\ncolour red\n", "snapshot"},
	{"an empty line", "group 2\n", "group 2\n\n", "snapshot"},
	{"a comment", "group 2\n", "group 2\n#\n", "snapshot"},

	{"a snapshot of another order",
		"snapshot 1000:1005:", "snapshot 1005:1000:", "snapshot"},
	{"a snapshot without xip's colon", "1000:1005:1001,1003", "1000:1005", "snapshot"},
	{"a transaction out of its bounds", "1001,1003", "1001,1005", "snapshot"},
	{"transactions not in order", "1001,1003", "1003,1001", "snapshot"},
	{"no time", "time 2024-02-29T12:34:56.123456Z", "time ", "time"},
	{"a time with a blank", "02-29T12", "02-29 12", "time"},
	{"a time without its fraction", "56.123456Z", "56Z", "time"},
	{"a time of another zone", "123456Z", "123456+01", "time"},
	{"a time with a letter", "02-29T12", "02-29T1x", "time"},
	{"no encoding", "encoding UTF8", "encoding ", "encoding"},
	{"ids negative", "ids 3", "ids -3", "ids"},
	{"ids of 64 bits", "ids 3", "ids 9223372036854775808", "ids"},
	{"no ids", "ids 3\n", "", "ids"},
	{"rows with a comma", "rows 2", "rows 2,0", "rows"},
	{"another word's beginning", "rows 2", "rowset 2", "rows"},
	{"no rows", "rows 2\n", "", "rows"},
	{"data-bytes with a unit", "data-bytes 100", "data-bytes 100k", "data-bytes"},
	{"data-bytes of 64 bits", "data-bytes 100", "data-bytes 9223372036854775808",
		"data-bytes"},

	{"another file", "file columns ", "file ../columns ", "file"},
	{"a file too few", "file ids 6 ", "file data.gz 6 ", "file"},
	{"a file's size negative", "file ids 6 ", "file ids -6 ", "file"},
	{"a file's size with a leading zero", "file ids 6 ", "file ids 06 ", "file"},
	{"a file's size of 64 bits", "file ids 6 ", "file ids 9223372036854775808 ", "file"},
	{"no size of a file", "file ids 6 ", "file ids ", "file"},
	{"a line after the last", "manifest-sha256 ", "x y\nmanifest-sha256 ", "file"},
	{"a file more", "manifest-sha256 ",
		"file x 0 0000000000000000000000000000000000000000000000000000000000000000\n"
		"manifest-sha256 ",
		"file"},
	{"the last newline is missing", "\nmanifest-sha256 ", "manifest-sha256 ", "file"},
};

static bool is_empty(const struct manifest *m)
{
	return m->target == NULL && m->table.schema == NULL && m->key == NULL && m->keys == 0 &&
	       m->source.system == NULL && m->source.database == NULL && m->snapshot == NULL &&
	       m->time == NULL && m->encoding == NULL && m->seal[0] == '\0';
}

static void sample_text(struct buf *b)
{
	struct manifest m;

	sample_manifest(&m);
	manifest_encode(b, &m);
	manifest_free(&m);
}

/* Decodes it; `wrong` is what must be named if it is foreign. */
static void expect(
	const struct buf *b, enum manifest_state expected, const char *wrong, const char *test)
{
	struct manifest m = {0};
	const char *named = NULL;

	is_number(
		manifest_decode(b->data, b->len, &m, &named), expected, "%s: the answer", test);
	is_string(named, wrong, "%s: the line", test);
	if (expected != MANIFEST_GOOD)
		ok(is_empty(&m), "%s: nothing is left", test);
	manifest_free(&m);
}

static void test_mutations(void)
{
	for (size_t i = 0; i < sizeof mutations / sizeof *mutations; i++) {
		const struct mutation *m = &mutations[i];
		struct buf b = {0};

		sample_text(&b);
		if (ok(sample_replace(&b, m->from, m->to), "%s", m->test))
			expect(&b, MANIFEST_FOREIGN, m->wrong, m->test);
		buf_free(&b);
	}
}

static void test_harmless(void)
{
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
		struct buf b = {0};

		sample_text(&b);
		if (ok(sample_replace(&b, harmless[i].from, harmless[i].to), "%s",
			    harmless[i].test))
			expect(&b, harmless[i].state, NULL, harmless[i].test);
		buf_free(&b);
	}
}

/* A NUL is no end of a text: it is a byte that no manifest holds. */
static void test_nul(void)
{
	static const struct {
		const char *test, *behind, *wrong;
	} nuls[] = {
		{"a NUL in a word", "12:34", "time"},
		{"a NUL in a name", "odd%20n", "table"},
		{"a NUL for a newline", "rows 2", "rows"},
		{"a NUL in the line's name", "syst", "system"},
	};

	for (size_t i = 0; i < sizeof nuls / sizeof *nuls; i++) {
		struct buf b = {0};

		sample_text(&b);
		strstr(b.data, nuls[i].behind)[strlen(nuls[i].behind)] = '\0';
		sample_seal(&b);
		expect(&b, MANIFEST_FOREIGN, nuls[i].wrong, nuls[i].test);
		buf_free(&b);
	}
}

int main(void)
{
	test_harmless();
	test_mutations();
	test_nul();
	return done_testing();
}
