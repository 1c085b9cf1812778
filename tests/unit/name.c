/* Names as SQL writes them, and the labels of targets.  Directories: see name_encode.c. */
#include "name.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

struct parsed {
	const char *text, *schema, *table;
};

static const struct parsed names[] = {
	{"users", "public", "users"},
	{"USERS", "public", "users"},
	{"Sales.Orders", "sales", "orders"},
	{"public.users", "public", "users"},
	{"\"Users\"", "public", "Users"},
	{"\"Sales\".\"Orders\"", "Sales", "Orders"},
	{"sales.\"Orders\"", "sales", "Orders"},
	{"\"Sales\".Orders", "Sales", "orders"},
	{"\"a.b\".\"c.d\"", "a.b", "c.d"},
	{"\"a\"\"b\"", "public", "a\"b"},
	{"\"\"\"\"", "public", "\""},
	{"\"\"\"\".\"\"\"\"\"\"", "\"", "\"\""},
	{"\" \"", "public", " "},
	{"\"two\nlines\"", "public", "two\nlines"},
	{"\"1\"", "public", "1"},
	{"\"$\"", "public", "$"},
	{"a$1", "public", "a$1"},
	{"_", "public", "_"},
	{"_1.x2", "_1", "x2"},
	{"stra\xc3\x9f"
	 "e",
		"public",
		"stra\xc3\x9f"
		"e"},
	{"\xc3\x84", "public", "\xc3\x84"}, /* only ASCII is folded */
	{"\xff", "public", "\xff"},
	{SIXTY "abc", "public", SIXTY "abc"},
	{"\"" SIXTY "abc\"", "public", SIXTY "abc"},
	{SIXTY "abc." SIXTY "xyz", SIXTY "abc", SIXTY "xyz"},
};

static const char *const no_names[] = {
	"",
	".",
	"a.",
	".a",
	"a..b",
	"a.b.c",
	"1a",
	"$a",
	"-a",
	"a-b",
	"a b",
	" a",
	"a ",
	"a. b",
	"a .b",
	"a\n",
	"a;b",
	"a'b",
	"a/b",
	"\"",
	"\"\"",
	"\"a",
	"a\"",
	"\"a\"b",
	"a\"b\"",
	"\"a\"\"",
	"\"a\"\"\"\"",
	"\"\".a",
	"a.\"\"",
	"\"a\".",
	"a.b.",
	SIXTY "abcd",
	"\"" SIXTY "abcd\"",
	"a." SIXTY "abcd",
	SIXTY "abcd.a",
};

static void test_parse(void)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct name name = {0};

		ok(name_parse(names[i].text, &name), "%zu: is a name", i);
		is_string(name.schema, names[i].schema, "%zu: its schema", i);
		is_string(name.table, names[i].table, "%zu: its table", i);
		name_free(&name);
	}
	for (size_t i = 0; i < sizeof no_names / sizeof *no_names; i++) {
		struct name name = {0};

		ok(!name_parse(no_names[i], &name), "%zu: is no name", i);
		ok(name.schema == NULL && name.table == NULL, "%zu: allocates nothing", i);
	}
}

static void test_identifier(void)
{
	char *name = name_parse_identifier("ID");

	is_string(name, "id", "a column's name folds");
	free(name);
	name = name_parse_identifier("\"Odd \"\"one\"");
	is_string(name, "Odd \"one", "unless it is quoted");
	free(name);
	is_string(name_parse_identifier("a.b"), NULL, "it has one part");
	is_string(name_parse_identifier("\"a\"x"), NULL, "nothing comes after it");
	is_string(name_parse_identifier(""), NULL, "it isn't empty");
	is_string(name_parse_identifier(SIXTY "abcd"), NULL, "nor too long");
}

static const struct parsed written[] = {
	{"public.users", "public", "users"},
	{"sales._2019", "sales", "_2019"},
	{"\"Sales\".orders", "Sales", "orders"},
	{"sales.\"2019\"", "sales", "2019"},
	{"sales.\"a\"\"b\"", "sales", "a\"b"},
	{"\"a.b\".\"c d\"", "a.b", "c d"},
	{"public.\"a$\"", "public", "a$"},
	{"public.\"\xc3\xa4\"", "public", "\xc3\xa4"},
	{"public.\"semi;colon\"", "public", "semi;colon"},
};

static void test_to_sql(void)
{
	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		struct name name = {
			mem_string(written[i].schema), mem_string(written[i].table)};
		struct buf b = {0};

		name_to_sql(&b, &name);
		is_string(buf_text(&b), written[i].text, "as SQL writes %s", written[i].text);
		buf_free(&b);
		name_free(&name);
	}
}

/* Written and read again, a name with the byte `c` in both parts is the same. */
static bool survives_sql(char c)
{
	struct name name = {mem_format("%c", c), mem_format("x%c", c)}, again = {0};
	struct buf b = {0};

	name_to_sql(&b, &name);
	bool good = name_parse(buf_text(&b), &again) && name_equal(&name, &again);

	buf_free(&b);
	name_free(&again);
	name_free(&name);
	return good;
}

static void test_every_byte(void)
{
	unsigned lost = 0;

	for (int c = 1; c < 256; c++)
		if (!survives_sql((char)c)) {
			lost++;
			diag("byte %d does not survive", c);
		}
	is_number(lost, 0, "every byte survives to SQL and back");
}

static void test_equal(void)
{
	struct name users = {mem_string("public"), mem_string("users")};
	struct name other = {mem_string("public"), mem_string("Users")};
	struct name third = {mem_string("sales"), mem_string("users")};

	ok(name_equal(&users, &users), "a name is equal to itself");
	ok(!name_equal(&users, &other), "the table counts");
	ok(!name_equal(&users, &third), "the schema counts");
	name_free(&users);
	name_free(&other);
	name_free(&third);
	ok(users.schema == NULL && users.table == NULL, "a freed name is empty");
	name_free(&users);
}

static const struct {
	const char *text, *host, *db;
} labels[] = {
	{"replica1/app", "replica1", "app"},
	{"a/b", "a", "b"},
	{"Db-1.example.org/APP_2", "Db-1.example.org", "APP_2"},
	{"_/_", "_", "_"},
	{"10.0.0.1/x..", "10.0.0.1", "x.."},
	{"123456789/987654321", "123456789", "987654321"},
	{"a0000000042/0000000042b", "a0000000042", "0000000042b"},
};

static const char *const no_labels[] = {
	"",
	"/",
	"a",
	"a/",
	"/b",
	"a//b",
	"a/b/",
	"a/b/c",
	".a/b",
	"a/.b",
	"-a/b",
	"a/-b",
	"./b",
	"../..",
	"a/..",
	"a b/c",
	"a/b ",
	"a/b\n",
	"a\\b/c",
	"a%41/b",
	"user@a/b",
	"a:b/c",
	"*/b",
	"\xc3\xa4/b",
	"a/\xff",
	"0000000042/a",
	"a/0000000042",
	"a/00000000000042",
};

static void test_labels(void)
{
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		struct label label = {0};

		ok(label_parse(labels[i].text, &label), "%s is a label", labels[i].text);
		is_string(label.host, labels[i].host, "%s: its host", labels[i].text);
		is_string(label.db, labels[i].db, "%s: its database", labels[i].text);
		is_string(label.text, labels[i].text, "%s: its text", labels[i].text);
		label_free(&label);
	}
	for (size_t i = 0; i < sizeof no_labels / sizeof *no_labels; i++) {
		struct label label = {0};

		ok(!label_parse(no_labels[i], &label), "label %zu is none", i);
		ok(label.text == NULL && label.host == NULL && label.db == NULL,
			"label %zu allocates nothing", i);
	}
}

/* Both parts must be a file's name: 255 bytes. */
static void test_long_labels(void)
{
	char text[2 * 256 + 2];
	struct label label = {0};

	memset(text, 'h', sizeof text);
	text[255] = '/';
	text[255 + 1 + 255] = '\0';
	ok(label_parse(text, &label), "255 bytes each are a label");
	is_number(label.host != NULL ? strlen(label.host) : 0, 255, "of them, the host");
	label_free(&label);

	text[255 + 1 + 255] = 'h';
	text[255 + 1 + 256] = '\0';
	ok(!label_parse(text, &label), "256 for the database are too many");
	text[255] = 'h';
	text[256] = '/';
	text[256 + 1 + 4] = '\0';
	ok(!label_parse(text, &label), "256 for the host are too many");
}

int main(void)
{
	test_parse();
	test_identifier();
	test_to_sql();
	test_every_byte();
	test_equal();
	test_labels();
	test_long_labels();
	return done_testing();
}
