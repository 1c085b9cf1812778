/* Options that both programs have: what is taken, and what is a usage error. */
#include "opt.h"

#include "buf.h"
#include "die.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_names(void)
{
	struct opt_names names = {0};
	struct opt_labels labels = {0};

	opt_add_table(&names, "users");
	opt_add_table(&names, "Public.USERS");
	opt_add_table(&names, "\"Users\"");
	is_number(names.count, 2, "a table that is named twice counts once");
	is_string(names.name[1].table, "Users", "in the order given");
	opt_add_target(&labels, "host/db");
	opt_add_target(&labels, "host/DB");
	opt_add_target(&labels, "host/db");
	is_number(labels.count, 2, "so does a target");
	is_string(labels.label[1].db, "DB", "but its case counts");
	for (size_t i = 0; i < names.count; i++)
		name_free(&names.name[i]);
	free(names.name);
	for (size_t i = 0; i < labels.count; i++)
		label_free(&labels.label[i]);
	free(labels.label);
}

/* What is no name but holds one of a pattern's characters is a pattern. */
static void test_patterns(void)
{
	struct opt_names names = {0};

	opt_add_tables(&names, "users");
	opt_add_tables(&names, "sales.*");
	opt_add_tables(&names, "\"odd*name\"");
	opt_add_tables(&names, "public.users");
	is_number(names.count, 2, "two names");
	is_number(names.patterns, 1, "and a pattern");
	is_string(names.name[1].table, "odd*name", "what is quoted is a name");
	is_string(names.pattern[0].text, "sales.*", "the pattern");
	for (size_t i = 0; i < names.count; i++)
		name_free(&names.name[i]);
	free(names.name);
	pattern_free(&names.pattern[0]);
	free(names.pattern);
}

static void add_tables(const void *argument)
{
	struct opt_names names = {0};

	opt_add_tables(&names, argument);
}

static void add_table(const void *argument)
{
	struct opt_names names = {0};

	opt_add_table(&names, argument);
}

static void add_target(const void *argument)
{
	struct opt_labels labels = {0};

	opt_add_target(&labels, argument);
}

static void take_number(const void *argument)
{
	exit(100 + opt_number("--jobs", argument, 1, 16));
}

static void take_number_from_zero(const void *argument)
{
	opt_number("--jobs", argument, 0, 16);
}

static void test_number(void)
{
	static const char *const wrong[] = {
		"", "x", "1x", "1 ", "0", "17", "-1", "1.0", "0x1", "99999999999999999999"};

	ends(take_number, "1", 101, "", "the least number");
	ends(take_number, "16", 116, "", "the greatest");
	ends(take_number_from_zero, "0", 0, "", "zero, where it is allowed");
	ends(take_number_from_zero, "", DIE_USAGE, "--jobs takes a number from 0 to 16",
		"but nothing is not zero");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ends(take_number, wrong[i], DIE_USAGE,
			"prog: error: --jobs takes a number from 1 to 16\n"
			"prog: hint: try \"prog --help\"",
			wrong[i]);
}

/* One word after the program's name, or two, with a blank between. */
static void parse(const void *words)
{
	static const struct option options[] = {{"keep", no_argument, NULL, 256},
		{"keys", required_argument, NULL, 257}, {"table", required_argument, NULL, 't'},
		{"quiet", no_argument, NULL, 'q'}, {NULL, 0, NULL, 0}};
	char program[] = "prog", *first = mem_string(words), *second = strchr(first, ' ');
	char *argv[] = {program, first, second != NULL ? second + 1 : NULL, NULL};

	if (second != NULL)
		*second = '\0';
	optind = 0;
	while (opt_next(second != NULL ? 3 : 2, argv, ":t:q", options) != -1)
		;
}

static void test_next(void)
{
	static const struct {
		const char *words, *says;
	} wrong[] = {
		{"--frob", "\"--frob\" is no option\nhint: try"},
		{"-x", "\"-x\" is no option\nhint: try"},
		{"-xq", "\"-x\" is no option\n"},
		{"--keep -xq", "\"-x\" is no option\n"},
		{"--quiet -qx", "\"-x\" is no option\n"},
		{"-:", "\"-:\" is no option\n"},
		{"-?", "\"-?\" is no option\n"},
		{"-\xc3\xa4", "is no option\n"},
		{"--=x", "\"--\" is short for several options\n"},
		{"--ke", "\"--ke\" is short for several options\n"},
		{"-t", "\"-t\" lacks its argument\nhint: try"},
		{"-qt", "\"-t\" lacks its argument\n"},
		{"--keep --keys", "\"--keys\" lacks its argument\n"},
		{"--table", "\"--table\" lacks its argument\n"},
		{"--keep=3", "\"--keep\" takes no argument\nhint: try"},
		{"--quiet=3", "\"--quiet\" takes no argument\n"},
	};

	ends(parse, "-q --keep", 0, "", "options are taken");
	ends(parse, "-qtx --key=y", 0, "", "letters together, and what is cut short");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ends(parse, wrong[i].words, DIE_USAGE, wrong[i].says, wrong[i].words);
	struct ending end = run_child(parse, "--password=secret");
	ok(strstr(end.said, "\"--password\"") != NULL && strstr(end.said, "secret") == NULL,
		"what stands behind the = is not repeated");
	free(end.said);
}

static void need(const void *given)
{
	opt_need(*(const bool *)given, "a spool");
}

static void refuse(const void *given)
{
	opt_refuse(*(const bool *)given, "--status", "--keep");
}

static void test_need_and_refuse(void)
{
	static const bool yes = true, no = false;

	ends(need, &yes, 0, "", "what is needed was given");
	ends(need, &no, DIE_USAGE, "a spool is missing\nhint: try \"prog --help\"", "or not");
	ends(refuse, &no, 0, "", "what doesn't fit was not given");
	ends(refuse, &yes, DIE_USAGE, "--status takes no --keep\nhint: try", "or was");
}

static void test_connection(void)
{
	static const char letters[] = "dhpU", others[] = "tTxD?";
	struct pg_options options = {0};
	char argument[] = "5433";
	unsigned taken = 0;

	ok(!opt_is_connection(&options), "nothing says where to connect to");
	for (const char *p = letters; *p != '\0'; p++)
		taken += opt_connection(&options, *p, argument);
	ok(opt_is_connection(&options), "something does");
	is_number(taken, 4, "-d, -h, -p and -U are the connection's");
	ok(options.conninfo == argument && options.host == argument &&
			options.port == argument && options.user == argument,
		"each has its place");
	for (const char *p = others; *p != '\0'; p++)
		ok(!opt_connection(&options, *p, argument), "-%c is not", *p);
}

static void take_port(const void *argument)
{
	struct pg_options options = {0};
	char *copy = mem_string(argument);

	opt_connection(&options, 'p', copy);
	exit(options.port == copy ? 0 : 99);
}

static void test_port(void)
{
	static const char *const good[] = {"1", "65535", "", "5432,5433", ",5433,",
		" 5432 , 5433 "},
				 *const bad[] = {"0", "65536", "-1", "x", "5432x", "5432;1",
					 "1,0", "1,x,2", "99999999999999999999"};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ends(take_port, good[i], 0, "", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ends(take_port, bad[i], DIE_USAGE,
			"prog: error: -p takes a number from 1 to 65535\nhint: try", bad[i]);
}

static void print_to(const void *device)
{
	if (freopen(device, "w", stdout) == NULL)
		exit(99);
	printf("data\n");
	opt_close_stdout();
}

int main(void)
{
	die_program("prog");
	test_names();
	test_patterns();
	ends(add_table, "a.b.c", DIE_USAGE,
		"\"a.b.c\" is no table's name\nhint: write it as in SQL", "no table's name");
	ends(add_table, "users*", DIE_USAGE, "\"users*\" is no table's name", "nor a pattern");
	ends(add_tables, "a b", DIE_USAGE, "\"a b\" is no table's name", "nor pattern");
	ends(add_tables, "a.b.*", DIE_USAGE, "\"a.b.*\" is no table's name", "of three parts");
	ends(add_target, "host", DIE_USAGE, "\"host\" is no target\nhint: write it HOST/DB",
		"no target");
	test_next();
	test_number();
	test_need_and_refuse();
	test_connection();
	test_port();
	ends(print_to, "/dev/null", 0, "", "what was printed arrived");
	ends(print_to, "/dev/full", DIE_AGAIN, "cannot write to standard output: No space",
		"or did not");
	return done_testing();
}
