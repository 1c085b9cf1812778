#include "gz.h"

#include "buf.h"
#include "codec.h"
#include "die.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct gz_writer {
	struct io_writer file;
	struct codec_deflate *codec;
	uint64_t bytes;
	size_t held; /* bytes of `in` that wait to be deflated together */
	unsigned char in[IO_BUFFER];
	unsigned char out[IO_BUFFER];
};

struct gz_reader {
	struct io_reader file;
	struct codec_inflate *codec;
	char *name;
	uint64_t announced;
	uint64_t bytes;
	bool ended; /* the trailer was read and was right */
	const unsigned char *rest;
	size_t rest_len; /* of `in` that is not inflated yet */
	unsigned char in[IO_BUFFER];
	unsigned char out[IO_BUFFER];
};

struct gz_writer *gz_writer_open(int fd, const char *name, int level)
{
	struct gz_writer *w = mem_zero(1, sizeof *w);

	io_writer_open(&w->file, fd, name);
	w->codec = codec_deflate_new(level);
	return w;
}

/* Deflates `len` bytes; to the stream's end if they are the last. */
static void deflate_piece(struct gz_writer *w, const unsigned char *data, size_t len, bool last)
{
	struct codec_span s = {.in = data, .in_len = len};
	enum codec_state state;

	do {
		s.out = w->out;
		s.out_len = IO_BUFFER;
		state = codec_deflate_run(w->codec, &s, last);
		io_writer_add(&w->file, w->out, IO_BUFFER - s.out_len);
	} while (last ? state != CODEC_END : s.in_len > 0 || s.out_len == 0);
}

static void deflate_held(struct gz_writer *w)
{
	if (w->held > 0)
		deflate_piece(w, w->in, w->held, false);
	w->held = 0;
}

void gz_write(struct gz_writer *w, const void *data, size_t len)
{
	w->bytes += len;
	if (len > IO_BUFFER - w->held)
		deflate_held(w);
	if (len > IO_BUFFER) {
		deflate_piece(w, data, len, false);
		return;
	}
	memcpy(w->in + w->held, data, len);
	w->held += len;
}

void gz_writer_close(struct gz_writer *w, struct io_sum *sum, uint64_t *bytes)
{
	deflate_piece(w, w->in, w->held, true);
	codec_deflate_free(w->codec);
	io_writer_close(&w->file, sum);
	*bytes = w->bytes;
	free(w);
}

struct gz_reader *gz_reader_open(int fd, const char *name, uint64_t bytes)
{
	struct gz_reader *r = mem_zero(1, sizeof *r);

	r->name = mem_string(name);
	r->announced = bytes;
	r->codec = codec_inflate_new();
	io_reader_open(&r->file, fd, name);
	return r;
}

static _Noreturn void refuse(const struct gz_reader *r, const char *what)
{
	die(DIE_PERSON, IO_SHIP_AGAIN, "\"%s\" %s", r->name, what);
}

/* The trailer is behind us: the file must end here too. */
static void expect_end(struct gz_reader *r)
{
	unsigned char extra;

	if (r->rest_len > 0 || io_reader_next(&r->file, &extra, 1) > 0)
		refuse(r, "goes on after the end of its gzip stream");
	if (r->bytes != r->announced)
		refuse(r, "inflates to less than its manifest announces");
	r->ended = true;
}

static void inflate_piece(struct gz_reader *r, struct codec_span *s)
{
	size_t before = s->out_len;
	enum codec_state state;

	state = codec_inflate_run(r->codec, s);
	r->rest = s->in;
	r->rest_len = s->in_len;
	r->bytes += before - s->out_len;
	if (state == CODEC_BAD)
		refuse(r, "is not a whole gzip stream");
	if (r->bytes > r->announced)
		refuse(r, "inflates to more than its manifest announces");
	if (state == CODEC_END)
		expect_end(r);
}

size_t gz_read(struct gz_reader *r, const void **data)
{
	struct codec_span s = {
		.in = r->rest, .in_len = r->rest_len, .out = r->out, .out_len = IO_BUFFER};

	while (!r->ended && s.out_len > 0) {
		if (s.in_len == 0) {
			s.in = r->in;
			s.in_len = io_reader_next(&r->file, r->in, IO_BUFFER);
		}

		/* Without input, a codec may still hold what it had no room to put out. */
		bool at_end = s.in_len == 0;
		size_t before = s.out_len;

		inflate_piece(r, &s);
		if (at_end && !r->ended && s.out_len == before)
			refuse(r, "ends before its gzip stream does");
	}
	*data = r->out;
	return IO_BUFFER - s.out_len;
}

void gz_reader_close(struct gz_reader *r, struct io_sum *sum)
{
	codec_inflate_free(r->codec);
	io_reader_close(&r->file, sum);
	free(r->name);
	free(r);
}

const char *gz_library(void)
{
	return codec_library();
}
