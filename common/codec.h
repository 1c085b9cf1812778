/*
 * Deflate and inflate with a gzip header and trailer around: one small interface, two
 * implementations.  codec_isal.c (ISA-L) is built where libisal is found, codec_zlib.c
 * elsewhere; each reads what the other writes.
 */
#ifndef DML_CODEC_H
#define DML_CODEC_H

#include <stdbool.h>
#include <stddef.h>

/* What goes in and what comes out: both move on as they are used. */
struct codec_span {
	const unsigned char *in;
	size_t in_len;
	unsigned char *out;
	size_t out_len;
};

enum codec_state {
	CODEC_MORE, /* all input was taken, or all output is full */
	CODEC_END,  /* the stream ended, its trailer included */
	CODEC_BAD,  /* of inflate: this is no gzip stream, or its check sums are wrong */
};

struct codec_deflate;
struct codec_inflate;

/* `level` from 1 to 9, as for gzip(1); what it means in time and size is the library's. */
struct codec_deflate *codec_deflate_new(int level);
/* `last`: no input comes after this; call it until CODEC_END. */
enum codec_state codec_deflate_run(struct codec_deflate *d, struct codec_span *s, bool last);
void codec_deflate_free(struct codec_deflate *d);

struct codec_inflate *codec_inflate_new(void);
/* One gzip member: after CODEC_END, what is left in `s->in` comes after it. */
enum codec_state codec_inflate_run(struct codec_inflate *i, struct codec_span *s);
void codec_inflate_free(struct codec_inflate *i);

/* Name and version of the library. */
const char *codec_library(void);

#endif
