#include "feed.h"

#include "gz.h"
#include "progress.h"

#include <stdlib.h>
#include <string.h>

/*
 * A line "\." would end the COPY before its time: what follows would be dropped without a word.
 * COPY TO never writes one.  The state carries over from piece to piece.
 */
struct watch {
	const struct batch *batch;
	enum manifest_file file;
	bool begun;
	char last[2]; /* the two bytes before this piece */
};

static void refuse(const struct watch *w)
{
	die(DIE_PERSON, "ship the batch again from its source",
		"\"%s/%s\" holds an end-of-data marker", w->batch->dir.path,
		manifest_file_name(w->file));
}

static void watch(struct watch *w, const char *data, size_t len)
{
	char seam[4];
	size_t head = len < 2 ? len : 2;

	if (len == 0)
		return;
	if (!w->begun)
		memcpy(w->last, "\n\n", 2); /* as if a line had ended before the first */
	w->begun = true;
	memcpy(seam, w->last, 2);
	memcpy(seam + 2, data, head);
	if (memmem(seam, 2 + head, "\n\\.", 3) != NULL || memmem(data, len, "\n\\.", 3) != NULL)
		refuse(w);
	memcpy(w->last, seam + head, 2);
	if (len > 2)
		memcpy(w->last, data + len - 2, 2);
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
		watch(&w, piece, len);
		pg_feed(conn, piece, len, what);
	}
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
		watch(&w, piece, len);
		pg_feed(conn, piece, len, what);
		bytes += len;
		progress_show(what, 0, bytes);
	}
	progress_clear();
	gz_reader_close(reader, &sum);
	batch_expect(b, FILE_DATA, &sum);
	expect_rows(&w, b->manifest.rows, pg_feed_end(conn, what));
	free(name);
}
