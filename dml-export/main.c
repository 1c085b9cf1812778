/* dml-export: what changed in a table goes into a spool. */
#include "die.h"
#include "export.h"
#include "forget.h"
#include "install.h"
#include "interrupt.h"
#include "options.h"
#include "progress.h"
#include "status.h"
#include "target_ddl.h"
#include "uninstall.h"

static enum die_status run(const struct options *options)
{
	switch (options->mode) {
	case MODE_EXPORT:
		return export_run(options);
	case MODE_INSTALL:
		return install_run(options);
	case MODE_UNINSTALL:
		return uninstall_run(options);
	case MODE_TARGET_DDL:
		return target_ddl_run(options);
	case MODE_STATUS:
		return status_print(options);
	case MODE_FORGET:
		return forget_run(options);
	}
	return DIE_USAGE;
}

int main(int argc, char **argv)
{
	struct options options;

	die_program("dml-export");
	interrupt_init();
	options_parse(&options, argc, argv);
	progress_init(options.progress, die_level() == DIE_QUIET);

	return (int)run(&options);
}
