/*
 * die_escape(): whatever goes in, what comes out is printable UTF-8; what was printable is
 * kept; and cut to any size it is a whole number of characters.
 */
#include "buf.h"
#include "die.h"
#include "fuzz.h"

#include <string.h>

/* The printable character at `s`, as the Unicode standard's table of well-formed bytes has
 * it: its length, or 0. */
static size_t printable(const unsigned char *s)
{
	static const struct {
		unsigned char first[2], second[2];
		size_t length;
	} rows[] = {
		{{0xc2, 0xc2}, {0xa0, 0xbf}, 2}, /* less the C1 controls */
		{{0xc3, 0xdf}, {0x80, 0xbf}, 2},
		{{0xe0, 0xe0}, {0xa0, 0xbf}, 3},
		{{0xe1, 0xec}, {0x80, 0xbf}, 3},
		{{0xed, 0xed}, {0x80, 0x9f}, 3},
		{{0xee, 0xef}, {0x80, 0xbf}, 3},
		{{0xf0, 0xf0}, {0x90, 0xbf}, 4},
		{{0xf1, 0xf3}, {0x80, 0xbf}, 4},
		{{0xf4, 0xf4}, {0x80, 0x8f}, 4},
	};

	if (s[0] < 0x80)
		return s[0] >= ' ' && s[0] <= '~';
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (s[0] < rows[i].first[0] || s[0] > rows[i].first[1])
			continue;
		if (s[1] < rows[i].second[0] || s[1] > rows[i].second[1])
			return 0;
		for (size_t k = 2; k < rows[i].length; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].length;
	}
	return 0;
}

/* What should come out. */
static void escape(struct buf *b, const unsigned char *s)
{
	static const char digits[] = "0123456789abcdef";

	while (*s != '\0') {
		size_t length = printable(s);
		char hex[] = {'\\', 'x', digits[*s >> 4], digits[*s & 15]};

		if (length > 0)
			buf_add(b, s, length);
		else
			buf_add(b, hex, sizeof hex);
		s += length > 0 ? length : 1;
	}
}

/* In `size` bytes: the longest beginning of the whole that ends with a character. */
static void check_cut(const struct buf *whole, const char *text, size_t size)
{
	char *out = mem_alloc(size);
	size_t used = die_escape(out, size, text);

	must(used < size && strlen(out) == used, "it stays in its space");
	must(used <= whole->len && memcmp(out, whole->data, used) == 0, "it is a beginning");
	must(used == whole->len || (whole->data[used] & 0xc0) != 0x80, "of whole characters");
	must(used == whole->len || used + 5 > size, "that leaves no space unused");
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size + 1), *out = mem_alloc(4 * size + 1);
	struct buf expected = {0};

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	buf_string(&expected, "");
	escape(&expected, (const unsigned char *)text);
	size_t used = die_escape(out, 4 * size + 1, text);
	must(used == expected.len && strcmp(out, expected.data) == 0, "it is as it should be");
	for (size_t cut = 1; cut <= 12 && cut <= expected.len + 1; cut++)
		check_cut(&expected, text, cut);
	check_cut(&expected, text, expected.len / 2 + 1);
	check_cut(&expected, text, expected.len + 1);
	buf_free(&expected);
	free(out);
	free(text);
	return 0;
}
