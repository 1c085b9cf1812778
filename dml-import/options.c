#include "options.h"

#include "die.h"
#include "gz.h"
#include "workers.h"

#include <stdlib.h>

enum long_only {
	OPT_KEEP = 256,
	OPT_TRUNCATE,
	OPT_ACCEPT_SOURCE,
	OPT_AS_SUPERUSER,
	OPT_INSTALL,
	OPT_UNINSTALL,
	OPT_PRINT_SQL,
	OPT_STATUS,
	OPT_CHECK,
	OPT_PROGRESS,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"table", required_argument, NULL, 't'},
	{"keep", no_argument, NULL, OPT_KEEP},
	{"truncate", no_argument, NULL, OPT_TRUNCATE},
	{"accept-source", no_argument, NULL, OPT_ACCEPT_SOURCE},
	{"as-superuser", no_argument, NULL, OPT_AS_SUPERUSER},
	{"jobs", required_argument, NULL, 'j'},
	{"install", no_argument, NULL, OPT_INSTALL},
	{"uninstall", no_argument, NULL, OPT_UNINSTALL},
	{"print-sql", no_argument, NULL, OPT_PRINT_SQL},
	{"status", no_argument, NULL, OPT_STATUS},
	{"check", no_argument, NULL, OPT_CHECK},
	{"dbname", required_argument, NULL, 'd'},
	{"host", required_argument, NULL, 'h'},
	{"port", required_argument, NULL, 'p'},
	{"username", required_argument, NULL, 'U'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"progress", no_argument, NULL, OPT_PROGRESS},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"dml-import applies what dml-export wrote to the tables of a database.\n"
	"\n"
	"  dml-import [-d CONNINFO] [-j N] [--keep] [--truncate] [--as-superuser] DIR...\n"
	"  dml-import [-d CONNINFO] [-t TABLE] [--accept-source] DIR\n"
	"  dml-import [-d CONNINFO] --status [DIR...]\n"
	"  dml-import [-j N] --check DIR...\n"
	"  dml-import [-d CONNINFO] --install | --uninstall [--print-sql]\n"
	"\n"
	"  DIR is a batch, a table's directory, or a tree of them.\n"
	"\n"
	"  -t, --table=TABLE     the table to write, if its name differs\n"
	"      --keep            leave batches where they are once they are applied\n"
	"      --truncate        empty the table by TRUNCATE for a full batch\n"
	"      --accept-source   take a new chain from another source than the last\n"
	"      --as-superuser    write another's table although its triggers would run\n"
	"                        with a superuser's rights\n"
	"  -j, --jobs=N          apply N tables side by side\n"
	"      --install         make the ledger, which the first import makes otherwise\n"
	"      --uninstall       remove it\n"
	"      --print-sql       print the SQL in place of running it\n"
	"      --status          print how far each table is, and what waits in DIR\n"
	"      --check           verify batches without a database\n"
	"\n"
	"  -d, --dbname=CONNINFO, -h, --host=HOST, -p, --port=PORT, -U, --username=NAME\n"
	"                        as for psql\n"
	"  -q, --quiet           of messages, errors only\n"
	"  -v, --verbose         say what is done\n"
	"      --progress        say how far it is, also where there is no terminal\n"
	"      --help, -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed: run again, 2 usage, 3 not now: locked or not all\n"
	"here, 4 needs a person.\n";

static const char *const calls[] = {
	[MODE_IMPORT] = "an import",
	[MODE_INSTALL] = "--install",
	[MODE_UNINSTALL] = "--uninstall",
	[MODE_STATUS] = "--status",
	[MODE_CHECK] = "--check",
};

static void set_mode(struct options *o, enum mode mode)
{
	if (o->mode != MODE_IMPORT && o->mode != mode)
		die(DIE_USAGE, opt_try_help(),
			"--install, --uninstall, --status and --check don't go together");
	o->mode = mode;
}

static void take(struct options *o, int letter)
{
	switch (letter) {
	case 't':
		opt_add_table(&o->tables, optarg);
		break;
	case 'j':
		o->jobs = opt_number("-j", optarg, 1, WORKERS_MAX);
		break;
	case 'q':
		die_verbosity(DIE_QUIET);
		break;
	case 'v':
		die_verbosity(DIE_VERBOSE);
		break;
	case OPT_KEEP:
		o->keep = true;
		break;
	case OPT_TRUNCATE:
		o->truncate = true;
		break;
	case OPT_ACCEPT_SOURCE:
		o->accept_source = true;
		break;
	case OPT_AS_SUPERUSER:
		o->as_superuser = true;
		break;
	case OPT_PRINT_SQL:
		o->print_sql = true;
		break;
	case OPT_PROGRESS:
		o->progress = true;
		break;
	case OPT_INSTALL:
		set_mode(o, MODE_INSTALL);
		break;
	case OPT_UNINSTALL:
		set_mode(o, MODE_UNINSTALL);
		break;
	case OPT_STATUS:
		set_mode(o, MODE_STATUS);
		break;
	case OPT_CHECK:
		set_mode(o, MODE_CHECK);
		break;
	case 'V':
		opt_print_version(gz_library());
	case OPT_HELP:
		opt_print_and_exit(help);
	}
}

static void check(const struct options *o)
{
	bool imports = o->mode == MODE_IMPORT, checks = o->mode == MODE_CHECK;
	bool ledger = o->mode == MODE_INSTALL || o->mode == MODE_UNINSTALL;
	const char *call = calls[o->mode];

	opt_need(o->dir_count > 0 || ledger || o->mode == MODE_STATUS, "DIR");
	opt_refuse(ledger && o->dir_count > 0, call, "DIR");
	opt_refuse(!imports && o->tables.count > 0, call, "-t");
	opt_refuse(!imports && o->keep, call, "--keep");
	opt_refuse(!imports && o->truncate, call, "--truncate");
	opt_refuse(!imports && o->accept_source, call, "--accept-source");
	opt_refuse(!imports && o->as_superuser, call, "--as-superuser");
	opt_refuse(!imports && o->progress, call, "--progress");
	opt_refuse(!imports && !checks && o->jobs != 0, call, "-j");
	opt_refuse(checks && opt_is_connection(&o->pg), call, "-d, -h, -p or -U");
	opt_refuse(!ledger && o->print_sql, call, "--print-sql");
	if (o->tables.count > 1 || (o->tables.count == 1 && o->dir_count > 1))
		die(DIE_USAGE, opt_try_help(), "-t goes with the directory of one table");
}

void options_parse(struct options *o, int argc, char **argv)
{
	int letter;

	*o = (struct options){0};
	while ((letter = opt_next(argc, argv, ":t:j:d:h:p:U:qvV", long_options)) != -1)
		if (!opt_connection(&o->pg, letter, optarg))
			take(o, letter);
	o->dirs = argv + optind;
	o->dir_count = (size_t)(argc - optind);
	check(o);
	if (o->jobs == 0)
		o->jobs = 1;
}
