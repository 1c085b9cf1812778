/*
 * dml-import's command line: whatever the arguments, it is parsed or refused as a usage error;
 * what is parsed is within its limits and goes together; and all of it can be freed.
 */
#include "options.h"

#include "arguments.h"
#include "die_stub.h"
#include "fuzz.h"
#include "workers.h"

static void check_mode(const struct options *o)
{
	bool imports = o->mode == MODE_IMPORT;
	bool ledger = o->mode == MODE_INSTALL || o->mode == MODE_UNINSTALL;

	must(o->dir_count > 0 || ledger || o->mode == MODE_STATUS,
		"there is a directory, where one is needed");
	must(o->dir_count == 0 || !ledger, "and none where none has a meaning");
	must(o->tables.patterns == 0, "a pattern is no table");
	must(o->tables.count == 0 || (imports && o->tables.count == 1 && o->dir_count == 1),
		"-t is for one table's import");
	must(imports || (!o->keep && !o->truncate && !o->accept_source && !o->as_superuser &&
				!o->progress),
		"what is for an import is only there");
	must(imports || o->mode == MODE_CHECK || o->jobs == 1, "jobs are for work");
	must(o->mode != MODE_CHECK || !opt_is_connection(&o->pg),
		"who checks connects to nothing");
	must(ledger || !o->print_sql, "--print-sql is for --install and --uninstall");
}

static void check(const struct arguments *a, const struct options *o)
{
	must(o->jobs >= 1 && o->jobs <= WORKERS_MAX, "the number of jobs is one");
	must(o->dirs + o->dir_count == a->value + a->count, "the directories are the rest");
	for (size_t i = 0; i < o->dir_count; i++)
		must(arguments_hold(a, o->dirs[i]), "each is an argument");
	arguments_check_names(&o->tables);
	arguments_check_connection(a, &o->pg);
	check_mode(o);
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
		must(arguments_left() == 0, "nothing else was allocated");
	} else {
		die_unexpected();
		must(die_status_seen() == DIE_USAGE || die_status_seen() == DIE_DONE,
			"it is a usage error, or a call for help");
	}
	arguments_free(&a);
	return 0;
}
