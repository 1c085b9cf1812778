#include "arguments.h"

#include "die_stub.h"
#include "fuzz.h"

#include <getopt.h>
#include <sanitizer/allocator_interface.h>
#include <string.h>

/* More than an input of libFuzzer's default length, 4096 bytes, makes a parser allocate. */
enum { ALLOCATED_MAX = 16384 };

static const volatile void *allocated[ALLOCATED_MAX];
static size_t allocated_count;
static _Thread_local bool counting; /* libFuzzer watches its memory from another thread */

static void note_malloc(const volatile void *p, size_t size)
{
	(void)size;
	if (!counting)
		return;
	if (allocated_count == ALLOCATED_MAX)
		abort();
	allocated[allocated_count++] = p;
}

/* What was allocated last is mostly freed first. */
static void note_free(const volatile void *p)
{
	if (!counting)
		return;
	for (size_t i = allocated_count; i > 0; i--) {
		if (allocated[i - 1] == p) {
			allocated[i - 1] = allocated[--allocated_count];
			return;
		}
	}
}

void __real_exit(int status) __attribute__((noreturn));
void __wrap_exit(int status) __attribute__((noreturn));

/* libFuzzer itself exits, too. */
void __wrap_exit(int status)
{
	if (!counting)
		__real_exit(status);
	die((enum die_status)status, NULL, "exit");
}

/* Standard output goes nowhere; its buffer must not be among what is counted. */
static void prepare(void)
{
	static bool prepared;
	static char buffer[BUFSIZ];

	if (prepared)
		return;
	prepared = true;
	must(freopen("/dev/null", "w", stdout) != NULL, "there is a /dev/null");
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	__sanitizer_install_malloc_and_free_hooks(note_malloc, note_free);
}

void arguments_split(struct arguments *a, const uint8_t *data, size_t size)
{
	static char program[] = "fuzz";

	prepare();
	*a = (struct arguments){.count = 1, .text = mem_alloc(size + 1), .size = size + 1};
	if (size > 0)
		memcpy(a->text, data, size);
	a->text[size] = '\0';
	a->value = mem_zero(size + 3, sizeof *a->value);
	a->value[0] = program;
	for (size_t at = 0; at < size; at += strlen(a->text + at) + 1)
		a->value[a->count++] = a->text + at;
	optind = 0;
	allocated_count = 0;
	counting = true;
}

bool arguments_hold(const struct arguments *a, const char *text)
{
	return text >= a->text && text < a->text + a->size;
}

size_t arguments_left(void)
{
	return allocated_count;
}

void arguments_free(struct arguments *a)
{
	counting = false;
	for (size_t i = 0; i < allocated_count; i++)
		free((void *)(uintptr_t)allocated[i]);
	free(a->value);
	free(a->text);
}

static void check_name(const struct name *name)
{
	struct name again = {0};
	struct buf b = {0};

	name_to_sql(&b, name);
	must(name_parse(b.data, &again) && name_equal(name, &again),
		"a table can be written as SQL");
	name_free(&again);
	buf_free(&b);
}

static void check_pattern(const struct pattern *pattern)
{
	struct pattern again;
	struct name name;

	must(!name_parse(pattern->text, &name), "a pattern is no name");
	must(pattern_parse(pattern->text, &again), "but a pattern");
	must(strcmp(pattern->schema, again.schema) == 0 &&
			strcmp(pattern->table, again.table) == 0,
		"and the same again");
	pattern_free(&again);
}

void arguments_check_names(const struct opt_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		check_name(&names->name[i]);
		for (size_t k = 0; k < i; k++)
			must(!name_equal(&names->name[i], &names->name[k]),
				"no table stands there twice");
	}
	for (size_t i = 0; i < names->patterns; i++)
		check_pattern(&names->pattern[i]);
}

void arguments_check_labels(const struct opt_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		const struct label *l = &labels->label[i];
		struct label again = {0};
		char *text = mem_format("%s/%s", l->host, l->db);

		must(strcmp(l->text, text) == 0, "a target is HOST/DB");
		must(label_parse(text, &again), "and can be read again");
		label_free(&again);
		free(text);
		for (size_t k = 0; k < i; k++)
			must(strcmp(l->text, labels->label[k].text) != 0,
				"no target stands there twice");
	}
}

void arguments_check_connection(const struct arguments *a, const struct pg_options *pg)
{
	const char *const options[] = {pg->conninfo, pg->host, pg->port, pg->user};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		must(options[i] == NULL || arguments_hold(a, options[i]),
			"the connection's options are arguments");
}

void arguments_free_names(struct opt_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		name_free(&names->name[i]);
	for (size_t i = 0; i < names->patterns; i++)
		pattern_free(&names->pattern[i]);
	free(names->name);
	free(names->pattern);
}

void arguments_free_labels(struct opt_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		label_free(&labels->label[i]);
	free(labels->label);
}
