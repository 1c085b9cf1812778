#include "options.h"

#include "die.h"
#include "gz.h"
#include "workers.h"

#include <stdlib.h>

enum long_only {
	OPT_FULL = 256,
	OPT_INSTALL,
	OPT_KEY,
	OPT_UNINSTALL,
	OPT_PRINT_SQL,
	OPT_TARGET_DDL,
	OPT_STATUS,
	OPT_FORGET,
	OPT_PROGRESS,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"full", no_argument, NULL, OPT_FULL},
	{"install", no_argument, NULL, OPT_INSTALL},
	{"key", required_argument, NULL, OPT_KEY},
	{"uninstall", no_argument, NULL, OPT_UNINSTALL},
	{"print-sql", no_argument, NULL, OPT_PRINT_SQL},
	{"target-ddl", no_argument, NULL, OPT_TARGET_DDL},
	{"status", no_argument, NULL, OPT_STATUS},
	{"forget", no_argument, NULL, OPT_FORGET},
	{"table", required_argument, NULL, 't'},
	{"target", required_argument, NULL, 'T'},
	{"dbname", required_argument, NULL, 'd'},
	{"host", required_argument, NULL, 'h'},
	{"port", required_argument, NULL, 'p'},
	{"username", required_argument, NULL, 'U'},
	{"jobs", required_argument, NULL, 'j'},
	{"compress", required_argument, NULL, 'Z'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"progress", no_argument, NULL, OPT_PROGRESS},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"dml-export writes what changed in a table since the last export into a spool.\n"
	"\n"
	"  dml-export [-d CONNINFO] --install [--key COL[,COL]] [--print-sql] -t TABLE...\n"
	"  dml-export [-d CONNINFO] -t TABLE... -T HOST/DB... [--full] SPOOL\n"
	"  dml-export [-d CONNINFO] --target-ddl -t TABLE...\n"
	"  dml-export [-d CONNINFO] --status [-t TABLE...]\n"
	"  dml-export [-d CONNINFO] --forget -T HOST/DB [-t TABLE...]\n"
	"  dml-export [-d CONNINFO] --uninstall [--print-sql] -t TABLE...\n"
	"\n"
	"  -t, --table=TABLE     written as in SQL; without a schema it is public;\n"
	"                        or a pattern, as for psql's \\d: 'public.*'\n"
	"  -T, --target=HOST/DB  who receives: a label that names a directory of the spool\n"
	"      --full            every row, and a new start of the chain\n"
	"      --install         make the shadow table and the triggers that note changes\n"
	"      --key=COL[,COL]   the columns of another unique index than the primary key's\n"
	"      --uninstall       remove all of that; with the last table the schema dml too\n"
	"      --print-sql       print the SQL in place of running it\n"
	"      --target-ddl      print the CREATE TABLE for the receiving side\n"
	"      --status          print how far each target has come\n"
	"      --forget          drop a target\n"
	"\n"
	"  -d, --dbname=CONNINFO, -h, --host=HOST, -p, --port=PORT, -U, --username=NAME\n"
	"                        as for psql\n"
	"  -j, --jobs=N          read N tables side by side, in one snapshot\n"
	"  -Z, --compress=1..9   gzip's level (default 1)\n"
	"  -q, --quiet           of messages, errors only; paths are printed all the same\n"
	"  -v, --verbose         say what is done\n"
	"      --progress        say how far it is, also where there is no terminal\n"
	"      --help, -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed: run again, 2 usage, 3 not now: locked,\n"
	"4 needs a person.\n";

static const char *const calls[] = {
	[MODE_EXPORT] = "an export",
	[MODE_INSTALL] = "--install",
	[MODE_UNINSTALL] = "--uninstall",
	[MODE_TARGET_DDL] = "--target-ddl",
	[MODE_STATUS] = "--status",
	[MODE_FORGET] = "--forget",
};

static void set_mode(struct options *o, enum mode mode)
{
	if (o->mode != MODE_EXPORT && o->mode != mode)
		die(DIE_USAGE, opt_try_help(),
			"--install, --uninstall, --target-ddl, --status and --forget don't go "
			"together");
	o->mode = mode;
}

/* Reads "b,\"A\"" as SQL would, folded unless quoted, into the server's form of an array. */
static char *parse_key(char *argument)
{
	char **columns = NULL;
	size_t count = 0;
	char *array;

	for (char *at = argument, *next; at != NULL; at = next) {
		bool quoted = false;

		for (next = at; *next != '\0' && (*next != ',' || quoted); next++)
			quoted ^= *next == '"';
		if (*next == ',')
			*next++ = '\0';
		else
			next = NULL;
		columns = mem_resize(columns, count + 1, sizeof *columns);
		columns[count] = name_parse_identifier(at);
		if (columns[count] == NULL)
			die(DIE_USAGE, "write it as in SQL: --key id or --key 'region,\"No\"'",
				"--key: \"%s\" is no column's name", at);
		count++;
	}
	array = pg_array((const char *const *)columns, count);
	for (size_t i = 0; i < count; i++)
		free(columns[i]);
	free(columns);
	return array;
}

static void take(struct options *o, int letter)
{
	switch (letter) {
	case 't':
		opt_add_tables(&o->tables, optarg);
		break;
	case 'T':
		opt_add_target(&o->targets, optarg);
		break;
	case 'Z':
		o->level = opt_number("-Z", optarg, GZ_LEVEL_MIN, GZ_LEVEL_MAX);
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
	case OPT_FULL:
		o->full = true;
		break;
	case OPT_KEY:
		free(o->key); /* as of other options the last counts */
		o->key = parse_key(optarg);
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
	case OPT_TARGET_DDL:
		set_mode(o, MODE_TARGET_DDL);
		break;
	case OPT_STATUS:
		set_mode(o, MODE_STATUS);
		break;
	case OPT_FORGET:
		set_mode(o, MODE_FORGET);
		break;
	case 'V':
		opt_print_version(gz_library());
	case OPT_HELP:
		opt_print_and_exit(help);
	}
}

static void check(const struct options *o)
{
	bool exports = o->mode == MODE_EXPORT;
	bool tracks = o->mode == MODE_INSTALL || o->mode == MODE_UNINSTALL;
	const char *call = calls[o->mode];

	if (o->mode != MODE_STATUS && o->mode != MODE_FORGET)
		opt_need(o->tables.count + o->tables.patterns > 0, "-t TABLE");
	if (exports || o->mode == MODE_FORGET)
		opt_need(o->targets.count > 0, "-T HOST/DB");
	if (exports)
		opt_need(o->spool != NULL, "SPOOL");
	opt_refuse(!exports && o->spool != NULL, call, "SPOOL");
	opt_refuse(!exports && o->full, call, "--full");
	opt_refuse(!exports && o->level != 0, call, "-Z");
	opt_refuse(!exports && o->jobs != 0, call, "-j");
	opt_refuse(!exports && o->progress, call, "--progress");
	opt_refuse(!exports && o->mode != MODE_FORGET && o->targets.count > 0, call, "-T");
	opt_refuse(!tracks && o->print_sql, call, "--print-sql");
	opt_refuse(o->mode != MODE_INSTALL && o->key != NULL, call, "--key");
	if (o->key != NULL && o->tables.count + o->tables.patterns > 1)
		die(DIE_USAGE, "install the tables one by one", "--key goes with one -t");
}

void options_parse(struct options *o, int argc, char **argv)
{
	int letter;

	*o = (struct options){0};
	while ((letter = opt_next(argc, argv, ":t:T:j:d:h:p:U:Z:qvV", long_options)) != -1)
		if (!opt_connection(&o->pg, letter, optarg))
			take(o, letter);
	if (optind < argc)
		o->spool = argv[optind++];
	if (optind < argc)
		die(DIE_USAGE, opt_try_help(), "too many arguments, the first \"%s\"",
			argv[optind]);
	check(o);
	if (o->level == 0)
		o->level = GZ_LEVEL_DEFAULT;
	if (o->jobs == 0)
		o->jobs = 1;
}
