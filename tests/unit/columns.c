/* The `columns` file: what is written can be read, and nothing else is taken. */
#include "columns.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decodes a copy that ends where the text does, so that a sanitizer sees who reads beyond. */
static bool decode(const char *text, size_t len, struct columns *c)
{
	char *copy = mem_alloc(len);

	if (len > 0)
		memcpy(copy, text, len);
	bool good = columns_decode(copy, len, c);
	free(copy);
	return good;
}

static void test_encode(void)
{
	struct columns c = {0};
	struct buf b = {0};

	columns_encode(&b, &c);
	is_string(buf_text(&b), "", "no columns are no lines");
	columns_add(&c, "id", "bigint");
	columns_add(&c, "a\tb\nc\\d", "\"Odd\".\"\b\f\r\v\"");
	columns_encode(&b, &c);
	is_string(b.data, "id\tbigint\na\\tb\\nc\\\\d\t\"Odd\".\"\\b\\f\\r\\v\"\n",
		"a line each, escaped as COPY does");
	buf_free(&b);
	columns_free(&c);
	ok(c.column == NULL && c.count == 0, "freed, there are none");
}

static bool survives(const char *name, const char *type)
{
	struct columns c = {0}, again = {0};
	struct buf b = {0};

	columns_add(&c, name, type);
	columns_add(&c, type, name);
	columns_encode(&b, &c);
	bool good = decode(b.data, b.len, &again) && again.count == 2 &&
		    strcmp(again.column[0].name, name) == 0 &&
		    strcmp(again.column[0].type, type) == 0 &&
		    strcmp(again.column[1].name, type) == 0 &&
		    strcmp(again.column[1].type, name) == 0;
	buf_free(&b);
	columns_free(&c);
	columns_free(&again);
	return good;
}

static void test_round_trip(void)
{
	unsigned lost = 0;

	for (int first = 1; first < 256; first++) {
		for (int second = 1; second < 256; second++) {
			char name[3] = {(char)first, (char)second, '\0'};

			lost += !survives(name, "x") || !survives("\\", name);
		}
	}
	is_number(lost, 0, "every pair of bytes survives, in a name and in a type");
}

struct text {
	const char *text;
	size_t len;
};

#define TEXT(literal)                                                                          \
	{                                                                                      \
		literal, sizeof(literal) - 1                                                   \
	}

static const struct text wrong[] = {
	TEXT("id"),
	TEXT("id\n"),
	TEXT("id\t"),
	TEXT("id\tbigint"),
	TEXT("\n"),
	TEXT("\t\n"),
	TEXT("id\t\n"),
	TEXT("\tbigint\n"),
	TEXT("id\tbigint\n\n"),
	TEXT("\nid\tbigint\n"),
	TEXT("id\tbigint\tx\n"),
	TEXT("id\tbigint\nname"),
	TEXT("id\tbigint\r\n"),
	TEXT("i\vd\tbigint\n"),
	TEXT("i\bd\tbigint\n"),
	TEXT("i\fd\tbigint\n"),
	TEXT("i\0d\tbigint\n"),
	TEXT("id\tbig\0int\n"),
	TEXT("id\tbigint\n\0"),
	TEXT("\\"),
	TEXT("id\\"),
	TEXT("id\\\tbigint\n"),
	TEXT("id\tbigint\\\n"),
	TEXT("id\tbigint\n\\"),
	TEXT("\\x41\tbigint\n"),
	TEXT("\\101\tbigint\n"),
	TEXT("\\N\tbigint\n"),
	TEXT("\\.\n"),
	TEXT("i\\d\tbigint\n"),
	TEXT("i\\\0d\tbigint\n"),
};

static void test_wrong(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct columns c = {0};

		ok(!decode(wrong[i].text, wrong[i].len, &c), "%zu, \"%s\", is refused", i,
			wrong[i].text);
		ok(c.column == NULL && c.count == 0, "%zu: nothing is allocated", i);
		columns_free(&c);
	}
}

/* Every text that is shorter: whole lines are columns, everything else is refused, nothing too.
 */
static void test_cut(void)
{
	static const char text[] = "id\tbigint\na\\tb\t\"x\\\\\"\nc\ttext\n";
	unsigned wrong_answers = 0;

	for (size_t len = 0; len < sizeof text; len++) {
		struct columns c = {0};
		bool whole = len > 0 && text[len - 1] == '\n';

		if (len < sizeof text - 1 || !whole)
			wrong_answers += decode(text, len, &c) != whole;
		columns_free(&c);
	}
	is_number(wrong_answers, 0, "cut anywhere but behind a line, it is refused");
}

static void test_limit(void)
{
	struct columns c = {0};
	struct buf b = {0};

	for (int i = 0; i < COLUMNS_MAX; i++)
		buf_format(&b, "c%d\tint\n", i);
	ok(decode(b.data, b.len, &c), "as many columns as a table may have");
	is_number(c.count, COLUMNS_MAX, "all of them");
	columns_free(&c);
	buf_string(&b, "more\tint\n");
	ok(!decode(b.data, b.len, &c), "one more is refused");
	buf_free(&b);
	columns_free(&c);
}

int main(void)
{
	test_encode();
	test_round_trip();
	test_wrong();
	test_cut();
	test_limit();
	return done_testing();
}
