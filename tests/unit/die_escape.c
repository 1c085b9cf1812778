/* Text from outside, fit for a terminal: printable UTF-8 passes, all else becomes \xNN. */
#include "die.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *text, *escaped;
} cases[] = {
	{"", ""},
	{"plain ~text!", "plain ~text!"},
	{"a\\b", "a\\b"},
	{"\t\n\r\x1b\x7f", "\\x09\\x0a\\x0d\\x1b\\x7f"},
	{"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
	{"\xc3\xa4", "\xc3\xa4"},
	{"\xe2\x82\xac", "\xe2\x82\xac"},
	{"\xf0\x9f\x90\x98", "\xf0\x9f\x90\x98"},
	{"\xc2\x80", "\\xc2\\x80"}, /* C1: U+0080 */
	{"\xc2\x9b"
	 "31m",
		"\\xc2\\x9b"
		"31m"}, /* U+009B, as good as ESC [ */
	{"\xc2\x9f", "\\xc2\\x9f"},
	{"\xc2\xa0", "\xc2\xa0"},
	{"\x80", "\\x80"}, /* a continuation alone */
	{"\x9b"
	 "31m",
		"\\x9b"
		"31m"},             /* C1 in Latin-1 */
	{"\xc3", "\\xc3"},          /* nothing continues it */
	{"\xc3(", "\\xc3("},        /* the wrong thing does */
	{"\xe2\x82", "\\xe2\\x82"}, /* cut */
	{"\xe2\x82x", "\\xe2\\x82x"},
	{"\xf0\x9f\x90", "\\xf0\\x9f\\x90"},
	{"\xf0\x9f\x90\x1b", "\\xf0\\x9f\\x90\\x1b"},
	{"\xc0\x80", "\\xc0\\x80"}, /* overlong */
	{"\xc1\xbf", "\\xc1\\xbf"},
	{"\xc0\x9b", "\\xc0\\x9b"}, /* an overlong ESC */
	{"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},
	{"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
	{"\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b"},
	{"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
	{"\xe0\xa0\x80", "\xe0\xa0\x80"},
	{"\xed\x9f\xbf", "\xed\x9f\xbf"},
	{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogates */
	{"\xed\xbf\xbf", "\\xed\\xbf\\xbf"},
	{"\xee\x80\x80", "\xee\x80\x80"},
	{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
	{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
	{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
	{"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"}, /* five bytes */
	{"\xf8\x90\x80\x80", "\\xf8\\x90\\x80\\x80"},
	{"\xfc\x80\x80\x80", "\\xfc\\x80\\x80\\x80"},
	{"\xfe\xff", "\\xfe\\xff"},
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char out[64];
		size_t used = die_escape(out, sizeof out, cases[i].text);

		is_string(out, cases[i].escaped, "%s", cases[i].text);
		is_number(used, strlen(cases[i].escaped), "%s: its length", cases[i].text);
	}
}

/* UTF-8 as RFC 3629 has it, for any number. */
static void encode(unsigned point, char out[5])
{
	unsigned char bytes[5] = {0};

	if (point < 0x80) {
		bytes[0] = (unsigned char)point;
	} else if (point < 0x800) {
		bytes[0] = (unsigned char)(0xc0 | point >> 6);
		bytes[1] = (unsigned char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		bytes[0] = (unsigned char)(0xe0 | point >> 12);
		bytes[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
		bytes[2] = (unsigned char)(0x80 | (point & 0x3f));
	} else {
		bytes[0] = (unsigned char)(0xf0 | point >> 18);
		bytes[1] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
		bytes[2] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
		bytes[3] = (unsigned char)(0x80 | (point & 0x3f));
	}
	memcpy(out, bytes, sizeof bytes);
}

static bool is_printable(unsigned point)
{
	return point >= 0x20 && (point < 0x7f || point >= 0xa0) &&
	       (point < 0xd800 || point > 0xdfff) && point <= 0x10ffff;
}

static bool is_escaped(const char *text)
{
	char out[32], expected[32] = "";

	for (size_t i = 0; text[i] != '\0'; i++)
		snprintf(expected + 4 * i, 5, "\\x%02x", (unsigned char)text[i]);
	die_escape(out, sizeof out, text);
	return strcmp(out, expected) == 0;
}

static bool is_kept(const char *text)
{
	char out[32];

	die_escape(out, sizeof out, text);
	return strcmp(out, text) == 0;
}

/* All that four bytes can say, U+1FFFFF at most. */
static void test_every_character(void)
{
	unsigned wrong = 0;

	for (unsigned point = 1; point <= 0x1fffff; point++) {
		char text[5];

		encode(point, text);
		wrong += !(is_printable(point) ? is_kept(text) : is_escaped(text));
	}
	is_number(wrong, 0, "of all characters exactly the printable ones are kept");
}

/* No lead byte beyond F4 begins a character, whatever follows. */
static void test_every_lead(void)
{
	unsigned wrong = 0;

	for (unsigned lead = 0xf5; lead <= 0xff; lead++) {
		for (unsigned second = 0x80; second <= 0xbf; second++) {
			char text[] = {(char)lead, (char)second, '\x80', '\x80', '\0'};

			wrong += !is_escaped(text);
		}
	}
	is_number(wrong, 0, "no byte beyond F4 begins a character");
}

/* In too small a space it is cut between characters, and nothing behind it is touched. */
static void test_cut(void)
{
	static const char text[] = "a\xc3\xa4\x01\xf0\x9f\x90\x98z";
	static const char *const prefixes[] = {"", "a", "a\xc3\xa4", "a\xc3\xa4\\x01",
		"a\xc3\xa4\\x01\xf0\x9f\x90\x98", "a\xc3\xa4\\x01\xf0\x9f\x90\x98z"};

	for (size_t size = 1; size <= 14; size++) {
		const char *expected = prefixes[0];
		char out[16];

		for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
			if (strlen(prefixes[i]) < size)
				expected = prefixes[i];
		memset(out, '#', sizeof out);
		size_t used = die_escape(out, size, text);
		is_string(out, expected, "cut to %zu bytes", size);
		is_number(used, strlen(expected), "cut to %zu: its length", size);
		ok(out[size] == '#', "cut to %zu: nothing behind it is touched", size);
	}
}

int main(void)
{
	test_cases();
	test_every_character();
	test_every_lead();
	test_cut();
	return done_testing();
}
