#include "check.h"

#include "batch.h"
#include "copy_text.h"
#include "gz.h"
#include "queue.h"
#include "workers.h"

#include <stdlib.h>

static const char ship_again[] = "ship the batch again from its source";

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
		for (size_t k = 0; k < list.count; k++) {
			const struct spool_entry *e = &list.entry[k];

			if (e->kind != SPOOL_BATCH ||
				(where->number != 0 && where->number != e->number))
				continue;
			items->item =
				mem_resize(items->item, items->count + 1, sizeof *items->item);
			items->item[items->count++] =
				(struct item){.where = where, .number = e->number};
		}
		spool_list_free(&list);
	}
}

/* What a file of COPY text holds. */
struct content {
	const struct batch *batch;
	enum manifest_file file;
	struct copy_text text;
	uint64_t lines;
};

static void expect_written(const struct content *c, bool good)
{
	if (!good)
		die(DIE_PERSON, ship_again,
			"\"%s/%s\" holds a backslash that COPY never writes",
			c->batch->dir.path, manifest_file_name(c->file));
}

static void take(struct content *c, const char *piece, size_t len)
{
	expect_written(c, copy_text_next(&c->text, piece, len));
	for (size_t i = 0; i < len; i++)
		c->lines += piece[i] == '\n';
}

static void expect_lines(const struct content *c, uint64_t announced)
{
	expect_written(c, copy_text_ended(&c->text));
	if (c->lines != announced)
		die(DIE_PERSON, ship_again,
			"\"%s/%s\" has not as many lines as its manifest announces",
			c->batch->dir.path, manifest_file_name(c->file));
}

static void check_ids(const struct batch *b)
{
	struct content c = {.batch = b, .file = FILE_IDS};
	char *name = batch_file_name(b, FILE_IDS);
	enum { PIECE = 64 * 1024 };
	char *piece = mem_alloc(PIECE);
	struct io_reader reader;
	struct io_sum sum;
	size_t len;

	io_reader_open(&reader, batch_file(b, FILE_IDS), name);
	while ((len = io_reader_next(&reader, piece, PIECE)) > 0)
		take(&c, piece, len);
	io_reader_close(&reader, &sum);
	batch_expect(b, FILE_IDS, &sum);
	expect_lines(&c, b->manifest.ids);
	free(piece);
	free(name);
}

static void check_rows(const struct batch *b)
{
	struct content c = {.batch = b, .file = FILE_DATA};
	char *name = batch_file_name(b, FILE_DATA);
	struct gz_reader *reader =
		gz_reader_open(batch_file(b, FILE_DATA), name, b->manifest.data_bytes);
	struct io_sum sum;
	const void *piece;
	size_t len;

	while ((len = gz_read(reader, &piece)) > 0)
		take(&c, piece, len);
	gz_reader_close(reader, &sum);
	batch_expect(b, FILE_DATA, &sum);
	expect_lines(&c, b->manifest.rows);
	free(name);
}

static void check_batch(const struct batch *b)
{
	struct columns columns = {0};

	batch_columns(b, &columns);
	columns_free(&columns);
	check_ids(b);
	check_rows(b);
}

static enum die_status check_item(const struct item *item)
{
	const struct spool_dir *dir = &item->where->dir;
	struct batch b;
	struct name table = {0};
	char *why = NULL;
	enum batch_state state;

	queue_table(item->where, &table);
	state = batch_open(&b, dir, SPOOL_BATCH, item->number, &why);
	if (state == BATCH_GONE || state == BATCH_NOT_READY)
		die(DIE_NOT_NOW, "wait until shipping is done; ship it again if it is",
			"\"%s/%010llu\" is not all here", dir->path,
			(unsigned long long)item->number);
	if (state == BATCH_REFUSED)
		die(DIE_PERSON, "ship it again from its source, with rsync --checksum",
			"\"%s/%010llu\" is refused: %s", dir->path,
			(unsigned long long)item->number, why);
	if (!name_equal(&table, &b.manifest.table))
		die(DIE_PERSON, "move it to the directory of its table, or remove it",
			"\"%s\" holds a batch of another table", b.dir.path);
	batch_warn_of_strangers(&b);
	check_batch(&b);
	note("\"%s\" is whole", b.dir.path);
	batch_close(&b);
	name_free(&table);
	return DIE_DONE;
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
