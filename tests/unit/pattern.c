/* Patterns of table names: the regular expressions that psql would make of them. */
#include "pattern.h"

#include "tap.h"

#include <stddef.h>

static const struct {
	const char *text, *schema, *table;
} patterns[] = {
	{"users", "^(public)$", "^(users)$"},
	{"*", "^(public)$", "^(.*)$"},
	{"*.*", "^(.*)$", "^(.*)$"},
	{"Sales.Order?", "^(sales)$", "^(order.)$"},
	{"\"Sales\".*", "^(Sales)$", "^(.*)$"},
	{"\"a*b?\"", "^(public)$", "^(a\\*b\\?)$"},
	{"\"a.b\".\"c.d\"", "^(a\\.b)$", "^(c\\.d)$"},
	{"a\"B*\"c*", "^(public)$", "^(aB\\*c.*)$"},
	{"\"say \"\"x\"\"\"", "^(public)$", "^(say \"x\")$"},
	{"(a|b)[0-9]+", "^(public)$", "^((a|b)[0-9]+)$"},
	{"\"(|)[+]{^}\\\"", "^(public)$", "^(\\(\\|\\)\\[\\+\\]\\{\\^\\}\\\\)$"},
	{"a$", "^(public)$", "^(a\\$)$"},
	{"\"a$\"", "^(public)$", "^(a\\$)$"},
	{"\xc3\x84*", "^(public)$", "^(\xc3\x84.*)$"}, /* only ASCII is folded */
	{"two\nlines*", "^(public)$", "^(two\nlines.*)$"},
};

static const char *const no_patterns[] = {"", ".", "a.", ".a", "*.", "a.b.c", "*.*.*", "\"",
	"\"a", "a\"", "\"a\"\"", "a.\"", "a..b", "\"\"", "\"x*\".\"\"", "\"\".x*",
	"\"\"\"\".\"\""};

int main(void)
{
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		struct pattern p = {0};

		ok(pattern_parse(patterns[i].text, &p), "%s is a pattern", patterns[i].text);
		is_string(p.schema, patterns[i].schema, "%s: of schemas", patterns[i].text);
		is_string(p.table, patterns[i].table, "%s: of tables", patterns[i].text);
		is_string(p.text, patterns[i].text, "%s: as given", patterns[i].text);
		pattern_free(&p);
		ok(p.schema == NULL && p.table == NULL && p.text == NULL, "freed, it is empty");
	}
	for (size_t i = 0; i < sizeof no_patterns / sizeof *no_patterns; i++) {
		struct pattern p = {0};

		ok(!pattern_parse(no_patterns[i], &p), "\"%s\" is none", no_patterns[i]);
		ok(p.schema == NULL && p.table == NULL && p.text == NULL,
			"nothing is allocated");
	}
	return done_testing();
}
