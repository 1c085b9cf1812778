/*
 * dml-export's command line: whatever the arguments, it is parsed or refused as a usage error;
 * what is parsed is within its limits, goes together and holds nothing twice; and all of it
 * can be freed.
 */
#include "options.h"

#include "arguments.h"
#include "die_stub.h"
#include "fuzz.h"
#include "gz.h"
#include "workers.h"

#include <string.h>

static void check_key(const char *array)
{
	size_t count;
	char **columns = pg_array_parse(array, &count);
	char *again = pg_array((const char *const *)columns, count);

	must(count > 0, "a key has a column");
	for (size_t i = 0; i < count; i++)
		must(*columns[i] != '\0' && strlen(columns[i]) <= 63,
			"a column of 1 to 63 bytes");
	must(strcmp(array, again) == 0, "written as an array it is the same");
	free(again);
	pg_array_free(columns, count);
}

static void check_mode(const struct options *o)
{
	size_t tables = o->tables.count + o->tables.patterns;
	bool exports = o->mode == MODE_EXPORT;

	must(exports == (o->spool != NULL), "who exports has a spool, and nobody else");
	must(tables > 0 || o->mode == MODE_STATUS || o->mode == MODE_FORGET,
		"there is a table, where one is needed");
	must((o->targets.count > 0) == (exports || o->mode == MODE_FORGET),
		"there is a target just where one is needed");
	must(exports || (!o->full && !o->progress && o->jobs == 1 &&
				o->level == GZ_LEVEL_DEFAULT),
		"what is for an export is only there");
	must(!o->print_sql || o->mode == MODE_INSTALL || o->mode == MODE_UNINSTALL,
		"--print-sql is for --install and --uninstall");
	must(o->key == NULL || (o->mode == MODE_INSTALL && tables == 1),
		"--key is for one table's --install");
}

static void check(const struct arguments *a, const struct options *o)
{
	must(o->level >= GZ_LEVEL_MIN && o->level <= GZ_LEVEL_MAX, "the level is one");
	must(o->jobs >= 1 && o->jobs <= WORKERS_MAX, "so is the number of jobs");
	must(o->spool == NULL || arguments_hold(a, o->spool), "the spool is an argument");
	arguments_check_names(&o->tables);
	arguments_check_labels(&o->targets);
	arguments_check_connection(a, &o->pg);
	check_mode(o);
	if (o->key != NULL)
		check_key(o->key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arguments a;
	struct options o;

	arguments_split(&a, data, size);
	if (setjmp(*die_expect()) == 0) {
		options_parse(&o, a.count, a.value);
		die_unexpected();
		check(&a, &o);
		arguments_free_names(&o.tables);
		arguments_free_labels(&o.targets);
		free(o.key);
		must(arguments_left() == 0, "nothing else was allocated");
	} else {
		die_unexpected();
		must(die_status_seen() == DIE_USAGE || die_status_seen() == DIE_DONE,
			"it is a usage error, or a call for help");
	}
	arguments_free(&a);
	return 0;
}
