/* The cursor: what each function takes, and that it stays where it was if it doesn't. */
#include "decode.h"

#include "buf.h"
#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A copy that ends where the text does, so that a sanitizer sees who reads beyond. */
static char *copy_of(const char *text, size_t len)
{
	char *copy = mem_alloc(len);

	memcpy(copy, text, len);
	return copy;
}

static const struct {
	const char *text;
	uint64_t max, value;
	size_t taken; /* 0: refused */
} numbers[] = {
	{"0", UINT64_MAX, 0, 1},
	{"7", UINT64_MAX, 7, 1},
	{"10", UINT64_MAX, 10, 2},
	{"42 rest", UINT64_MAX, 42, 2},
	{"42\n", UINT64_MAX, 42, 2},
	{"0x10", UINT64_MAX, 0, 1},
	{"18446744073709551615", UINT64_MAX, UINT64_MAX, 20},
	{"18446744073709551616", UINT64_MAX, 0, 0},
	{"18446744073709551620", UINT64_MAX, 0, 0},
	{"99999999999999999999", UINT64_MAX, 0, 0},
	{"184467440737095516150", UINT64_MAX, 0, 0},
	{"9223372036854775807", INT64_MAX, INT64_MAX, 19},
	{"9223372036854775808", INT64_MAX, 0, 0},
	{"4294967295", UINT32_MAX, UINT32_MAX, 10},
	{"4294967296", UINT32_MAX, 0, 0},
	{"100", 100, 100, 3},
	{"101", 100, 0, 0},
	{"5", 5, 5, 1},
	{"6", 5, 0, 0},
	{"9", 5, 0, 0},
	{"0", 0, 0, 1},
	{"1", 0, 0, 0},
	{"00", UINT64_MAX, 0, 0},
	{"01", UINT64_MAX, 0, 0},
	{"", UINT64_MAX, 0, 0},
	{" 1", UINT64_MAX, 0, 0},
	{"-1", UINT64_MAX, 0, 0},
	{"+1", UINT64_MAX, 0, 0},
	{"a", UINT64_MAX, 0, 0},
	{"/", UINT64_MAX, 0, 0},
	{":", UINT64_MAX, 0, 0},
};

static void test_number(void)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		size_t len = strlen(numbers[i].text);
		char *start = copy_of(numbers[i].text, len);
		struct decode d = {.at = start, .end = start + len};
		uint64_t value = 0;
		bool taken = decode_number(&d, numbers[i].max, &value);

		ok(taken == (numbers[i].taken > 0), "\"%s\" of at most %" PRIu64 " is %s",
			numbers[i].text, numbers[i].max,
			numbers[i].taken > 0 ? "taken" : "refused");
		is_number((uint64_t)(d.at - start), numbers[i].taken, "\"%s\": moved on",
			numbers[i].text);
		if (numbers[i].taken > 0)
			is_number(value, numbers[i].value, "\"%s\": value", numbers[i].text);
		free(start);
	}
}

static void test_literal(void)
{
	char *start = copy_of("word more", 9);
	struct decode d = {.at = start, .end = start + 9};

	ok(!decode_literal(&d, "words"), "another literal is refused");
	ok(!decode_literal(&d, "word more!"), "one longer than the text, too");
	ok(d.at == start, "the cursor stays");
	ok(decode_literal(&d, "word "), "the literal is taken");
	is_number((uint64_t)(d.at - start), 5, "the cursor moved");
	ok(decode_literal(&d, ""), "nothing can always be taken");
	ok(decode_literal(&d, "more") && d.at == d.end, "up to the end");
	ok(!decode_literal(&d, "m"), "but not beyond");
	d = (struct decode){.at = start, .end = start + 4};
	ok(!decode_literal(&d, "word "), "though it goes on there");
	free(start);
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UUID "01234567-89ab-cdef-0123-456789abcdef"

/* `taken` bytes of the text, or 0; what was taken is in `text`. */
static size_t take_hex(const char *from, size_t len, char text[HASH_TEXT])
{
	char *start = copy_of(from, len);
	struct decode d = {.at = start, .end = start + len};
	bool taken = decode_hex(&d, text);
	size_t moved = (size_t)(d.at - start);

	free(start);
	return taken == (moved > 0) ? moved : SIZE_MAX;
}

static size_t take_uuid(const char *from, size_t len, char text[37])
{
	char *start = copy_of(from, len);
	struct decode d = {.at = start, .end = start + len};
	bool taken = decode_uuid(&d, text);
	size_t moved = (size_t)(d.at - start);

	free(start);
	return taken == (moved > 0) ? moved : SIZE_MAX;
}

static void test_hex(void)
{
	static const char wrong[] = "gAF/:`@-\n";
	char text[HASH_TEXT] = "", altered[] = HEX;
	unsigned accepted = 0;

	is_number(take_hex(HEX "0", 65, text), 64, "64 digits are taken");
	is_string(text, HEX, "as they are");
	is_number(take_hex(HEX, 63, text), 0, "63 are refused");
	for (size_t i = 0; i < 64; i++) {
		for (const char *w = wrong; *w != '\0'; w++) {
			altered[i] = *w;
			accepted += take_hex(altered, 64, text) != 0;
		}
		altered[i] = HEX[i];
	}
	is_number(accepted, 0, "other characters are refused, wherever they stand");
}

static void test_uuid(void)
{
	static const char wrong[] = "gF/:`0-\n";
	char text[37] = "", altered[] = UUID;
	unsigned accepted = 0;

	is_number(take_uuid(UUID "0", 37, text), 36, "a uuid is taken");
	is_string(text, UUID, "as it is");
	is_number(take_uuid(UUID, 35, text), 0, "35 bytes of one are refused");
	for (size_t i = 0; i < 36; i++) {
		for (const char *w = wrong; *w != '\0'; w++) {
			if ((UUID[i] == '-') == (*w == '-') && (UUID[i] == '-' || *w == '0'))
				continue;
			altered[i] = *w;
			accepted += take_uuid(altered, 36, text) != 0;
		}
		altered[i] = UUID[i];
	}
	is_number(accepted, 0, "other characters are refused, wherever they stand");
}

static void test_word(const char *from, size_t len, const char *expected)
{
	char *start = copy_of(from, len);
	struct decode d = {.at = start, .end = start + len};
	char *text = NULL;
	bool taken = decode_word(&d, &text);

	ok(taken == (expected != NULL), "the word of \"%s\" is %s", from,
		taken ? "taken" : "refused");
	is_string(text, expected, "the word of \"%s\"", from);
	is_number((uint64_t)(d.at - start), expected != NULL ? strlen(expected) : 0,
		"\"%s\": moved on", from);
	free(text);
	free(start);
}

int main(void)
{
	test_number();
	test_literal();
	test_hex();
	test_uuid();
	test_word("one two", 7, "one");
	test_word("one\ntwo", 7, "one");
	test_word("one\0two", 7, "one");
	test_word("one", 3, "one");
	test_word("one", 2, "on");
	test_word("tab\tand\xff", 8, "tab\tand\xff");
	test_word(" one", 4, NULL);
	test_word("\none", 4, NULL);
	test_word("\0one", 4, NULL);
	test_word("", 0, NULL);
	return done_testing();
}
