#include "import.h"

#include "ledger.h"
#include "queue.h"
#include "workers.h"

struct context {
	const struct options *options;
	const struct find *find;
};

/* Where the first can't connect, nobody can. */
static PGconn *connect_worker(const struct workers *w, const struct options *o)
{
	return workers_is_first(w) ? pg_connect(&o->pg) : pg_connect_beside(&o->pg, o->jobs);
}

/* One process: one connection, one table after the other. */
static enum die_status work(struct workers *w, const void *context)
{
	const struct context *c = context;
	struct apply apply = {
		.options = c->options, .workers = w, .conn = connect_worker(w, c->options)};

	/* Before a table is taken: where this fails, it fails for all of them. */
	ledger_ensure(apply.conn);
	for (size_t i = workers_next(w); i < c->find->count; i = workers_next(w))
		queue_run(&apply, &c->find->found[i]);
	pg_disconnect(apply.conn);
	return DIE_DONE;
}

enum die_status import_run(const struct options *o, const struct find *find)
{
	struct context context = {.options = o, .find = find};

	if (o->tables.count == 1 && find->count > 1)
		die(DIE_USAGE, opt_try_help(), "-t goes with the directory of one table");
	if (o->accept_source && find->count > 1)
		die(DIE_USAGE, opt_try_help(),
			"--accept-source goes with the directory of one table");
	if (o->tables.count == 1)
		find_permit(&o->tables.name[0], "name another with -t");
	return workers_run(find->count, o->jobs, work, &context);
}
