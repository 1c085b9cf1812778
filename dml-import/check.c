#include "check.h"

#include "content.h"
#include "explain.h"
#include "workers.h"

#include <stdlib.h>

/* One batch of one table's directory. */
struct item {
	const struct found *where;
	uint64_t number;
};

struct items {
	struct item *item;
	size_t count;
};

static void collect(struct items *items, const struct find *find)
{
	for (size_t i = 0; i < find->count; i++) {
		const struct found *where = &find->found[i];
		struct spool_list list;

		spool_list(&where->dir, &list);
		spool_warn_of_strangers(&where->dir, &list);
		for (size_t k = 0; k < list.count; k++) {
			const struct spool_entry *e = &list.entry[k];

			if (e->kind != SPOOL_BATCH || !find_means(where, e->number))
				continue;
			items->item =
				mem_resize(items->item, items->count + 1, sizeof *items->item);
			items->item[items->count++] =
				(struct item){.where = where, .number = e->number};
		}
		spool_list_free(&list);
	}
}

static void count_lines(void *context, const void *piece, size_t len)
{
	uint64_t *lines = context;

	for (const char *p = piece, *end = p + len; p < end; p++)
		*lines += *p == '\n';
}

static void check_lines(const struct batch *b, enum manifest_file file, uint64_t announced)
{
	uint64_t lines = 0;

	content_read(b, file, count_lines, &lines);
	if (lines != announced)
		die(DIE_PERSON, IO_SHIP_AGAIN,
			"\"%s/%s\" has not as many lines as its manifest announces",
			b->dir.path, manifest_file_name(file));
}

static void check_batch(const struct batch *b)
{
	struct columns columns = {0};

	batch_columns(b, &columns);
	columns_free(&columns);
	check_lines(b, FILE_IDS, b->manifest.ids);
	check_lines(b, FILE_DATA, b->manifest.rows);
}

static void check_open(const struct batch *b, const struct name *table)
{
	if (!name_equal(table, &b->manifest.table)) {
		explain_table(b);
		exit(DIE_PERSON);
	}
	batch_warn_of_strangers(b);
	check_batch(b);
	note("\"%s\" is whole", b->dir.path);
}

/* Dies if something is wrong with it.  An empty directory, which rsync makes first and may
 * leave, is no batch. */
static void check_item(const struct item *item)
{
	const struct spool_dir *dir = &item->where->dir;
	struct batch b;
	struct name table = {0};
	char *why = NULL;
	enum batch_state state;

	find_table(item->where, &table);
	state = batch_open(&b, dir, SPOOL_BATCH, item->number, &why);
	if (state == BATCH_GOOD) {
		check_open(&b, &table);
		batch_close(&b);
	} else if (state != BATCH_GONE) {
		exit((int)explain_unopened(dir, item->number, state, why, false));
	}
	name_free(&table);
}

static enum die_status work(struct workers *w, const void *context)
{
	const struct items *items = context;

	for (size_t i = workers_next(w); i < items->count; i = workers_next(w))
		check_item(&items->item[i]);
	return DIE_DONE;
}

enum die_status check_run(const struct options *o, const struct find *find)
{
	struct items items = {0};
	enum die_status status;

	collect(&items, find);
	status = workers_run(items.count, o->jobs, work, &items);
	free(items.item);
	return status;
}
