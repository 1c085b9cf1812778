/* Names as directories and in records: one spelling each, and no other is taken. */
#include "name.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static bool stands_for_itself(int c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

static bool encodes(const char *identifier, const char *text)
{
	struct buf b = {0};

	name_encode(&b, identifier);
	bool good = strcmp(buf_text(&b), text) == 0;
	buf_free(&b);
	return good;
}

static bool decodes(const char *text, const char *identifier)
{
	struct buf b = {0};
	bool good = name_decode(&b, text) && strcmp(buf_text(&b), identifier) == 0;

	buf_free(&b);
	return good;
}

static bool refused(const char *text)
{
	struct buf b = {0};
	bool good = !name_decode(&b, text);

	buf_free(&b);
	return good;
}

/* Of its two spellings, itself and %XX, each byte has one that is taken. */
static void test_every_byte(void)
{
	unsigned wrong = 0;

	for (int c = 1; c < 256; c++) {
		char *itself = mem_format("x%c", c), *escaped = mem_format("x%%%02X", c);
		const char *right = stands_for_itself(c) ? itself : escaped;
		const char *other = stands_for_itself(c) ? escaped : itself;

		if (!encodes(itself, right) || !decodes(right, itself) || !refused(other)) {
			wrong++;
			diag("byte %d", c);
		}
		free(itself);
		free(escaped);
	}
	is_number(wrong, 0, "every byte has one spelling, and survives in it");
}

static void test_refused(void)
{
	static const char *const wrong[] = {"", "%", "%2", "x%", "x%2", "%%", "%%2E", "%G0",
		"%0G", "%-1", "% 1", "%+1", "%00", "%2e", "%2f", "%41", "%5F", "%C3%A4", "%FF",
		"a.b", "a/b", "a b", "a\"b", "%2E%2"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ok(refused(wrong[i]), "\"%s\" is no encoded name", wrong[i]);
	ok(decodes("%2E%2E", ".."), "two dots are");
	ok(decodes("%252E", "%2E"), "a percent sign is decoded once");
}

/* 63 bytes of an identifier, however many its spelling has. */
static void test_length(void)
{
	struct buf name = {0}, text = {0};

	for (int i = 0; i < 63; i++)
		buf_byte(&name, '%');
	name_encode(&text, name.data);
	is_number(text.len, 189, "63 percent signs take 189 bytes");
	ok(decodes(text.data, name.data), "and are a name");
	buf_string(&text, "%25");
	ok(refused(text.data), "64 are none");

	buf_reset(&text);
	for (int i = 0; i < 64; i++)
		buf_byte(&text, 'x');
	ok(refused(text.data), "nor are 64 letters");
	ok(decodes(text.data + 1, text.data + 1), "63 letters are");
	buf_free(&text);
	buf_free(&name);
}

struct spelling {
	const char *schema, *table, *text;
};

static const struct spelling directories[] = {
	{"public", "users", "users"},
	{"sales", "orders", "sales.orders"},
	{"Public", "users", "Public.users"},
	{"public", "Users", "Users"},
	{"public", "a.b", "a%2Eb"},
	{"a.b", "c", "a%2Eb.c"},
	{"a", "b.c", "a.b%2Ec"},
	{"public", ".", "%2E"},
	{"public", "..", "%2E%2E"},
	{".", ".", "%2E.%2E"},
	{"public", "../../etc", "%2E%2E%2F%2E%2E%2Fetc"},
	{"public", "/", "%2F"},
	{"public", "%30", "%2530"},
	{"public", "a b\n", "a%20b%0A"},
	{"public", "\"", "%22"},
	{"public", "\x7f\x01", "%7F%01"},
	{"public", "-rf", "-rf"},
	{"public", "\xc3\xa4\xff", "\xc3\xa4\xff"},
	{"public", "000000042", "000000042"},
	{"public", "0000000042", "%30000000042"},
	{"public", "12345678901234567890", "%312345678901234567890"},
	{"public", "0000000042x", "0000000042x"},
	{"public", "0000000042.", "0000000042%2E"},
	{"sales", "0000000042", "sales.0000000042"},
	{"0000000042", "0000000042", "0000000042.0000000042"},
	{"public", "public", "public"},
	{"public", "public.users", "public%2Eusers"},
};

static const struct spelling records[] = {
	{"public", "users", "public.users"},
	{"sales", "orders", "sales.orders"},
	{"public", "a.b", "public.a%2Eb"},
	{"a b", "%", "a%20b.%25"},
	{"public", "0000000042", "public.0000000042"},
};

static void test_directory(const struct spelling *s)
{
	struct name name = {mem_string(s->schema), mem_string(s->table)}, again = {0};
	struct buf b = {0};

	ok(name_to_directory(&b, &name), "%s: has a directory", s->text);
	is_string(buf_text(&b), s->text, "%s: of that name", s->text);
	ok(name_from_directory(s->text, &again) && name_equal(&name, &again),
		"%s: names that table", s->text);
	buf_free(&b);
	name_free(&again);
	name_free(&name);
}

static void test_record(const struct spelling *s)
{
	struct name name = {mem_string(s->schema), mem_string(s->table)}, again = {0};
	struct buf b = {0};

	name_to_record(&b, &name);
	is_string(buf_text(&b), s->text, "%s: as a record", s->text);
	ok(name_from_record(s->text, &again) && name_equal(&name, &again),
		"%s: names that table", s->text);
	buf_free(&b);
	name_free(&again);
	name_free(&name);
}

static void test_no_directory(void)
{
	static const char *const wrong[] = {"", ".", "..", ".users", "users.", "a.b.c",
		"public.users", "public.a%2Eb", "%75sers", "0000000042", "%3000000042",
		"%300000004x", "%30000000042%30", "a%2eb", "a/b", "/", "../x", "a b", "%",
		"sales.%30000000042", "%30000000042.x", ".0000000042.tmp", ".0000000042.done",
		"%70ublic.x", "a.", "%00", "a\n"};
	struct buf longest = {0};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct name name = {0};

		ok(!name_from_directory(wrong[i], &name), "\"%s\" is no table's directory",
			wrong[i]);
		ok(name.schema == NULL && name.table == NULL, "\"%s\": nothing is allocated",
			wrong[i]);
	}
	for (int i = 0; i < 64; i++)
		buf_byte(&longest, 'x');
	struct name name = {0};
	ok(!name_from_directory(longest.data, &name), "64 bytes are no table's directory");
	buf_free(&longest);
}

static void test_no_record(void)
{
	static const char *const wrong[] = {"", ".", "users", "a.", ".a", "a.b.c", "a b.c",
		"%75sers.x", "a.%30000000042", "a.b\n"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct name name = {0};

		ok(!name_from_record(wrong[i], &name), "\"%s\" is no record", wrong[i]);
		ok(name.schema == NULL && name.table == NULL, "\"%s\": nothing is allocated",
			wrong[i]);
	}
}

/* A file's name has 255 bytes: 63 dots make 189, a dot between, and 65 more. */
static void test_file_name_limit(void)
{
	char schema[64] = {0}, table[64] = {0};
	struct buf b = {0};

	memset(schema, '.', 63);
	memset(table, 'x', 62);
	table[62] = '.';
	struct name name = {.schema = schema, .table = table};
	buf_string(&b, "before ");
	ok(name_to_directory(&b, &name), "255 bytes are a directory's name");
	is_number(b.len, 7 + 255, "and were appended");

	memset(table, 'x', 60);
	memset(table + 60, '.', 2);
	table[62] = '\0';
	buf_reset(&b);
	ok(!name_to_directory(&b, &name), "256 are none");
	buf_free(&b);
}

static void test_is_number(void)
{
	ok(name_is_number("0000000042"), "ten digits are a number");
	ok(name_is_number("12345678901"), "eleven are, too");
	ok(!name_is_number("000000042"), "nine aren't");
	ok(!name_is_number("0000000042x"), "nor ten and a letter");
	ok(!name_is_number(" 0000000042"), "nor a blank and ten");
	ok(!name_is_number(""), "nor nothing");
}

int main(void)
{
	test_every_byte();
	test_refused();
	test_length();
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		test_directory(&directories[i]);
	for (size_t i = 0; i < sizeof records / sizeof *records; i++)
		test_record(&records[i]);
	test_no_directory();
	test_no_record();
	test_file_name_limit();
	test_is_number();
	return done_testing();
}
