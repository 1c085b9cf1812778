#include "feed.h"

#include "copy_text.h"
#include "gz.h"
#include "progress.h"

#include <stdlib.h>

struct watch {
	const struct batch *batch;
	enum manifest_file file;
	struct copy_text text;
};

static void expect_written(const struct watch *w, bool good)
{
	if (!good)
		die(DIE_PERSON, "ship the batch again from its source",
			"\"%s/%s\" holds a backslash that COPY never writes",
			w->batch->dir.path, manifest_file_name(w->file));
}

static void expect_rows(const struct watch *w, uint64_t announced, uint64_t copied)
{
	if (announced != copied)
		die(DIE_PERSON,
			"look for a trigger or a rule that drops rows, or ship it again",
			"the server took %llu lines of \"%s/%s\", its manifest announces %llu",
			(unsigned long long)copied, w->batch->dir.path,
			manifest_file_name(w->file), (unsigned long long)announced);
}

void feed_ids(PGconn *conn, const struct batch *b, const char *what)
{
	struct watch w = {.batch = b, .file = FILE_IDS};
	char *name = batch_file_name(b, FILE_IDS);
	enum { PIECE = 64 * 1024 };
	char *piece = mem_alloc(PIECE);
	struct io_reader reader;
	struct io_sum sum;
	size_t len;

	pg_feed_begin(conn, "COPY pg_temp.dml_ids FROM STDIN", what);
	io_reader_open(&reader, batch_file(b, FILE_IDS), name);
	while ((len = io_reader_next(&reader, piece, PIECE)) > 0) {
		expect_written(&w, copy_text_next(&w.text, piece, len));
		pg_feed(conn, piece, len, what);
	}
	expect_written(&w, copy_text_ended(&w.text));
	io_reader_close(&reader, &sum);
	batch_expect(b, FILE_IDS, &sum);
	expect_rows(&w, b->manifest.ids, pg_feed_end(conn, what));
	free(piece);
	free(name);
}

void feed_rows(PGconn *conn, const struct batch *b, const char *copy_sql, const char *what)
{
	struct watch w = {.batch = b, .file = FILE_DATA};
	char *name = batch_file_name(b, FILE_DATA);
	struct gz_reader *reader;
	struct io_sum sum;
	const void *piece;
	uint64_t bytes = 0;
	size_t len;

	pg_feed_begin(conn, copy_sql, what);
	reader = gz_reader_open(batch_file(b, FILE_DATA), name, b->manifest.data_bytes);
	while ((len = gz_read(reader, &piece)) > 0) {
		expect_written(&w, copy_text_next(&w.text, piece, len));
		pg_feed(conn, piece, len, what);
		bytes += len;
		progress_show(what, 0, bytes);
	}
	expect_written(&w, copy_text_ended(&w.text));
	progress_clear();
	gz_reader_close(reader, &sum);
	batch_expect(b, FILE_DATA, &sum);
	expect_rows(&w, b->manifest.rows, pg_feed_end(conn, what));
	free(name);
}
