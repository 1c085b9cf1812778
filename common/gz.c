#define ZLIB_CONST /* next_in points to const */
#include "gz.h"

#include "buf.h"
#include "die.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

enum { PIECE = 256 * 1024, GZIP_ONLY = 16, WINDOW = 15 };

struct gz_writer {
	struct io_writer file;
	z_stream z;
	uint64_t bytes;
	unsigned char out[PIECE];
};

struct gz_reader {
	struct io_reader file;
	char *name;
	z_stream z;
	uint64_t announced;
	uint64_t bytes;
	bool ended; /* the trailer was read and was right */
	unsigned char in[PIECE];
	unsigned char out[PIECE];
};

static const char ship_again[] = "ship the batch again from its source, with rsync --checksum";

static _Noreturn void out_of_memory(void)
{
	die(DIE_AGAIN, "run it again when the machine has memory to spare", "out of memory");
}

struct gz_writer *gz_writer_open(int fd, const char *name, int level)
{
	struct gz_writer *w = mem_zero(1, sizeof *w);

	io_writer_open(&w->file, fd, name);
	if (deflateInit2(&w->z, level, Z_DEFLATED, WINDOW + GZIP_ONLY, 9, Z_DEFAULT_STRATEGY) !=
		Z_OK)
		out_of_memory();
	return w;
}

/* Feeds what z.next_in holds; until the end of the stream if `flush` is Z_FINISH. */
static void pump(struct gz_writer *w, int flush)
{
	int result;

	do {
		w->z.next_out = w->out;
		w->z.avail_out = PIECE;
		result = deflate(&w->z, flush);
		if (result == Z_STREAM_ERROR)
			out_of_memory();
		io_writer_add(&w->file, w->out, PIECE - w->z.avail_out);
	} while (flush == Z_FINISH ? result != Z_STREAM_END : w->z.avail_out == 0);
}

void gz_write(struct gz_writer *w, const void *data, size_t len)
{
	const unsigned char *p = data;

	w->bytes += len;
	while (len > 0) {
		uInt part = len > 1U << 30 ? 1U << 30 : (uInt)len;

		w->z.next_in = p;
		w->z.avail_in = part;
		pump(w, Z_NO_FLUSH);
		p += part;
		len -= part;
	}
}

void gz_writer_close(struct gz_writer *w, struct io_sum *sum, uint64_t *bytes)
{
	w->z.next_in = NULL;
	w->z.avail_in = 0;
	pump(w, Z_FINISH);
	deflateEnd(&w->z);
	io_writer_close(&w->file, sum);
	*bytes = w->bytes;
	free(w);
}

struct gz_reader *gz_reader_open(int fd, const char *name, uint64_t bytes)
{
	struct gz_reader *r = mem_zero(1, sizeof *r);

	r->name = mem_string(name);
	r->announced = bytes;
	io_reader_open(&r->file, fd, name);
	if (inflateInit2(&r->z, WINDOW + GZIP_ONLY) != Z_OK)
		out_of_memory();
	return r;
}

static _Noreturn void refuse(const struct gz_reader *r, const char *what)
{
	die(DIE_PERSON, ship_again, "\"%s\" %s", r->name, what);
}

/* The trailer is behind us: the file must end here too. */
static void expect_end(struct gz_reader *r)
{
	unsigned char extra;

	if (r->z.avail_in > 0 || io_reader_next(&r->file, &extra, 1) > 0)
		refuse(r, "goes on after the end of its gzip stream");
	if (r->bytes != r->announced)
		refuse(r, "inflates to less than its manifest announces");
	r->ended = true;
}

size_t gz_read(struct gz_reader *r, const void **data)
{
	r->z.next_out = r->out;
	r->z.avail_out = PIECE;
	while (!r->ended && r->z.avail_out > 0) {
		if (r->z.avail_in == 0) {
			r->z.next_in = r->in;
			r->z.avail_in = (uInt)io_reader_next(&r->file, r->in, PIECE);
			if (r->z.avail_in == 0)
				refuse(r, "ends before its gzip stream does");
		}
		uInt before = r->z.avail_out;
		int result = inflate(&r->z, Z_NO_FLUSH);

		r->bytes += before - r->z.avail_out;
		if (result == Z_MEM_ERROR)
			out_of_memory();
		if (result != Z_OK && result != Z_STREAM_END)
			refuse(r, "is not a whole gzip stream");
		if (r->bytes > r->announced)
			refuse(r, "inflates to more than its manifest announces");
		if (result == Z_STREAM_END)
			expect_end(r);
	}
	*data = r->out;
	return PIECE - r->z.avail_out;
}

void gz_reader_close(struct gz_reader *r, struct io_sum *sum)
{
	inflateEnd(&r->z);
	io_reader_close(&r->file, sum);
	free(r->name);
	free(r);
}

const char *gz_library(void)
{
	return "zlib " ZLIB_VERSION;
}
