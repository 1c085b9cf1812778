#define ZLIB_CONST /* next_in points to const */
#include "codec.h"

#include "buf.h"
#include "die.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP = 16, WINDOW = 15, MEMORY = 9 };

struct codec_deflate {
	z_stream z;
};

struct codec_inflate {
	z_stream z;
};

static void expect(int result)
{
	if (result == Z_MEM_ERROR || result == Z_STREAM_ERROR || result == Z_VERSION_ERROR)
		mem_exhausted();
}

static uInt at_most(size_t len)
{
	return len < INT_MAX ? (uInt)len : INT_MAX;
}

static void load(z_stream *z, const struct codec_span *s)
{
	z->next_in = s->in;
	z->avail_in = at_most(s->in_len);
	z->next_out = s->out;
	z->avail_out = at_most(s->out_len);
}

static void store(const z_stream *z, struct codec_span *s)
{
	s->in_len -= (size_t)(z->next_in - s->in);
	s->in = z->next_in;
	s->out_len -= (size_t)(z->next_out - s->out);
	s->out = z->next_out;
}

struct codec_deflate *codec_deflate_new(int level)
{
	struct codec_deflate *d = mem_zero(1, sizeof *d);

	expect(deflateInit2(
		&d->z, level, Z_DEFLATED, WINDOW + GZIP, MEMORY, Z_DEFAULT_STRATEGY));
	return d;
}

enum codec_state codec_deflate_run(struct codec_deflate *d, struct codec_span *s, bool last)
{
	int result;

	load(&d->z, s);
	result = deflate(&d->z, last ? Z_FINISH : Z_NO_FLUSH);
	expect(result);
	store(&d->z, s);
	return result == Z_STREAM_END ? CODEC_END : CODEC_MORE;
}

void codec_deflate_free(struct codec_deflate *d)
{
	deflateEnd(&d->z);
	free(d);
}

struct codec_inflate *codec_inflate_new(void)
{
	struct codec_inflate *i = mem_zero(1, sizeof *i);

	expect(inflateInit2(&i->z, WINDOW + GZIP));
	return i;
}

enum codec_state codec_inflate_run(struct codec_inflate *i, struct codec_span *s)
{
	int result;

	load(&i->z, s);
	result = inflate(&i->z, Z_NO_FLUSH);
	expect(result);
	store(&i->z, s);
	return result == Z_STREAM_END                    ? CODEC_END
	       : result == Z_OK || result == Z_BUF_ERROR ? CODEC_MORE
							 : CODEC_BAD;
}

void codec_inflate_free(struct codec_inflate *i)
{
	inflateEnd(&i->z);
	free(i);
}

const char *codec_library(void)
{
	return "zlib " ZLIB_VERSION;
}
