/* dml-import: what dml-export wrote goes into the tables of a database. */
#include "check.h"
#include "die.h"
#include "find.h"
#include "import.h"
#include "interrupt.h"
#include "ledger.h"
#include "options.h"
#include "progress.h"
#include "status.h"

static enum die_status run(const struct options *options, const struct find *find)
{
	switch (options->mode) {
	case MODE_IMPORT:
		return import_run(options, find);
	case MODE_INSTALL:
		return ledger_install(options);
	case MODE_UNINSTALL:
		return ledger_uninstall(options);
	case MODE_STATUS:
		return status_print(options, find);
	case MODE_CHECK:
		return check_run(options, find);
	}
	return DIE_USAGE;
}

int main(int argc, char **argv)
{
	struct options options;
	struct find find;

	die_program("dml-import");
	interrupt_init();
	options_parse(&options, argc, argv);
	progress_init(options.progress, die_level() == DIE_QUIET);
	find_all(&find, options.dirs, options.dir_count);

	enum die_status status = run(&options, &find);

	return (int)die_worst(status, find.status);
}
