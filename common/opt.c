#include "opt.h"

#include "die.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *opt_try_help(void)
{
	static char text[64];

	snprintf(text, sizeof text, "try \"%s --help\"", die_program_name());
	return text;
}

void opt_add_name(struct opt_names *names, struct name *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (name_equal(&names->name[i], name)) {
			name_free(name);
			return;
		}
	}
	names->name = mem_resize(names->name, names->count + 1, sizeof *names->name);
	names->name[names->count++] = *name;
}

static _Noreturn void no_table(const char *argument)
{
	die(DIE_USAGE, "write it as in SQL: users, sales.orders or '\"Odd\".\"T.x\"'",
		"\"%s\" is no table's name", argument);
}

void opt_add_table(struct opt_names *names, const char *argument)
{
	struct name name;

	if (!name_parse(argument, &name))
		no_table(argument);
	opt_add_name(names, &name);
}

void opt_add_tables(struct opt_names *names, const char *argument)
{
	struct name name;
	struct pattern pattern;

	if (name_parse(argument, &name)) {
		opt_add_name(names, &name);
		return;
	}
	if (strpbrk(argument, "*?[]()+|{}^") == NULL || !pattern_parse(argument, &pattern))
		no_table(argument);
	names->pattern =
		mem_resize(names->pattern, names->patterns + 1, sizeof *names->pattern);
	names->pattern[names->patterns++] = pattern;
}

void opt_add_target(struct opt_labels *labels, const char *argument)
{
	struct label label;

	if (!label_parse(argument, &label))
		die(DIE_USAGE,
			"write it HOST/DB, of A-Z a-z 0-9 . _ -, neither part beginning with a "
			"dot or a dash nor of ten digits or more and nothing else",
			"\"%s\" is no target", argument);
	for (size_t i = 0; i < labels->count; i++) {
		if (strcmp(labels->label[i].text, label.text) == 0) {
			label_free(&label);
			return;
		}
	}
	labels->label = mem_resize(labels->label, labels->count + 1, sizeof *labels->label);
	labels->label[labels->count++] = label;
}

int opt_number(const char *option, const char *argument, int least, int most)
{
	char *end;

	errno = 0;
	long value = strtol(argument, &end, 10);
	if (errno != 0 || end == argument || *end != '\0' || value < least || value > most)
		die(DIE_USAGE, opt_try_help(), "%s takes a number from %d to %d", option, least,
			most);
	return (int)value;
}

void opt_need(bool given, const char *what)
{
	if (!given)
		die(DIE_USAGE, opt_try_help(), "%s is missing", what);
}

void opt_refuse(bool given, const char *call, const char *what)
{
	if (given)
		die(DIE_USAGE, opt_try_help(), "%s takes no %s", call, what);
}

static _Noreturn void refuse_option(const char *option, const char *why)
{
	die(DIE_USAGE, opt_try_help(), "\"%.*s\" %s", (int)strcspn(option, "="), option, why);
}

static bool is_ambiguous(const char *argument, const struct option *options)
{
	const char *name = argument + strlen("--");
	size_t len = strcspn(name, "="), found = 0;

	for (const struct option *o = options; o->name != NULL; o++)
		found += strncmp(o->name, name, len) == 0;
	return found > 1;
}

/* getopt(3) has gone past a long option, but of letters it may have more to read: for these
 * there is optopt. */
static _Noreturn void explain(
	bool lacks, const char *argument, const char *letters, const struct option *options)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	if (lacks)
		refuse_option(strncmp(argument, "--", 2) == 0 ? argument : letter,
			"lacks its argument");
	if (optopt == 0)
		refuse_option(argument, is_ambiguous(argument, options)
						? "is short for several options"
						: "is no option");
	if (optopt > UCHAR_MAX || (optopt != ':' && strchr(letters, (char)optopt) != NULL))
		refuse_option(argument, "takes no argument");
	refuse_option(letter, "is no option");
}

int opt_next(int argc, char **argv, const char *letters, const struct option *options)
{
	int letter = getopt_long(argc, argv, letters, options, NULL);

	if (letter == ':' || letter == '?')
		explain(letter == ':', argv[optind - 1], letters, options);
	return letter;
}

_Noreturn void opt_print_and_exit(const char *text)
{
	fputs(text, stdout);
	opt_close_stdout();
	exit(DIE_DONE);
}

_Noreturn void opt_print_version(const char *library)
{
	printf("%s %s (%s)\n", die_program_name(), DML_VERSION, library);
	opt_close_stdout();
	exit(DIE_DONE);
}

/* As libpq takes it: one for each of several hosts, and where nothing stands the usual one. */
static bool is_port(const char *list)
{
	for (const char *p = list;; p++) {
		char *end;
		long port;

		p += strspn(p, " ");
		port = strtol(p, &end, 10);
		if (end != p && (port < 1 || port > 65535))
			return false;
		p = end + strspn(end, " ");
		if (*p != ',')
			return *p == '\0';
	}
}

bool opt_connection(struct pg_options *options, int letter, char *argument)
{
	switch (letter) {
	case 'd':
		options->conninfo = argument;
		return true;
	case 'h':
		options->host = argument;
		return true;
	case 'p':
		if (!is_port(argument))
			die(DIE_USAGE, opt_try_help(), "-p takes a number from 1 to 65535");
		options->port = argument;
		return true;
	case 'U':
		options->user = argument;
		return true;
	default:
		return false;
	}
}

bool opt_is_connection(const struct pg_options *options)
{
	return options->conninfo != NULL || options->host != NULL || options->port != NULL ||
	       options->user != NULL;
}

void opt_add_word(struct buf *b, const char *text)
{
	buf_byte(b, '\'');
	for (const char *p = text; *p != '\0'; p++)
		buf_string(b, *p == '\'' ? "'\\''" : (const char[]){*p, '\0'});
	buf_byte(b, '\'');
}

void opt_add_option(struct buf *b, const char *option, const char *value)
{
	if (value == NULL)
		return;
	buf_format(b, " %s ", option);
	opt_add_word(b, value);
}

void opt_add_connection(struct buf *b, const struct pg_options *options)
{
	opt_add_option(b, "-d", options->conninfo);
	opt_add_option(b, "-h", options->host);
	opt_add_option(b, "-p", options->port);
	opt_add_option(b, "-U", options->user);
}

void opt_close_stdout(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die_errno(DIE_AGAIN, "what was done stays done; only its report was lost",
			"cannot write to standard output");
}
