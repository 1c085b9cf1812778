/*
 * ISA-L has three levels that are worth their time; 1 to 3, 4 to 6 and 7 to 9 stand for them.
 * Its first is faster than zlib's by some four times and packs a little better.
 */
#include "codec.h"

#include "buf.h"
#include "die.h"

#include <isa-l.h>
#include <limits.h>
#include <stdlib.h>

struct codec_deflate {
	struct isal_zstream z;
	unsigned char *work;
};

enum { FLAGS = 3, RESERVED = 0xe0 }; /* which byte of a gzip header, and which bits of it */

struct codec_inflate {
	struct inflate_state z;
	size_t taken; /* bytes of input so far */
};

static uint32_t at_most(size_t len)
{
	return len < INT_MAX ? (uint32_t)len : INT_MAX;
}

/* What a block holds, at most; a fuzzer makes it smaller than its inputs. */
#ifndef CODEC_TOKENS
#define CODEC_TOKENS (64 * 1024)
#endif

static const struct {
	uint32_t level, work;
} levels[] = {
	{1, ISAL_DEF_LVL1_REQ + (ISAL_DEF_LVL1_TOKEN_SIZE * CODEC_TOKENS)},
	{2, ISAL_DEF_LVL2_REQ + (ISAL_DEF_LVL2_TOKEN_SIZE * CODEC_TOKENS)},
	{3, ISAL_DEF_LVL3_REQ + (ISAL_DEF_LVL3_TOKEN_SIZE * CODEC_TOKENS)},
};

struct codec_deflate *codec_deflate_new(int level)
{
	struct codec_deflate *d = mem_alloc(sizeof *d);
	size_t which = level <= 3 ? 0 : level <= 6 ? 1 : 2;

	isal_deflate_init(&d->z);
	d->work = mem_alloc(levels[which].work);
	d->z.level = levels[which].level;
	d->z.level_buf = d->work;
	d->z.level_buf_size = levels[which].work;
	d->z.gzip_flag = IGZIP_GZIP;
	return d;
}

/* Its pointers are not const, though it writes nothing through them. */
static unsigned char *not_const(const unsigned char *p)
{
	union {
		const unsigned char *in;
		unsigned char *out;
	} same = {.in = p};

	return same.out;
}

enum codec_state codec_deflate_run(struct codec_deflate *d, struct codec_span *s, bool last)
{
	d->z.next_in = not_const(s->in);
	d->z.avail_in = at_most(s->in_len);
	d->z.next_out = s->out;
	d->z.avail_out = at_most(s->out_len);
	d->z.end_of_stream = last;
	if (isal_deflate(&d->z) != COMP_OK)
		die(DIE_AGAIN, "run it again", "ISA-L cannot deflate");
	s->in_len -= (size_t)(d->z.next_in - s->in);
	s->in = d->z.next_in;
	s->out_len -= (size_t)(d->z.next_out - s->out);
	s->out = d->z.next_out;
	return d->z.internal_state.state == ZSTATE_END ? CODEC_END : CODEC_MORE;
}

void codec_deflate_free(struct codec_deflate *d)
{
	free(d->work);
	free(d);
}

struct codec_inflate *codec_inflate_new(void)
{
	struct codec_inflate *i = mem_alloc(sizeof *i);

	i->taken = 0;
	isal_inflate_init(&i->z);
	i->z.crc_flag =
		ISAL_GZIP; /* header and trailer are read, and the check sums compared */
	return i;
}

/* RFC 1952 wants the reserved flags refused, as zlib does; ISA-L passes over them. */
static bool has_reserved_flags(const struct codec_inflate *i, const struct codec_span *s)
{
	return i->taken <= FLAGS && s->in_len > FLAGS - i->taken &&
	       (s->in[FLAGS - i->taken] & RESERVED) != 0;
}

enum codec_state codec_inflate_run(struct codec_inflate *i, struct codec_span *s)
{
	int result;

	if (has_reserved_flags(i, s))
		return CODEC_BAD;
	i->z.next_in = not_const(s->in);
	i->z.avail_in = at_most(s->in_len);
	i->z.next_out = s->out;
	i->z.avail_out = at_most(s->out_len);
	result = isal_inflate(&i->z);
	i->taken += (size_t)(i->z.next_in - s->in);
	s->in_len -= (size_t)(i->z.next_in - s->in);
	s->in = i->z.next_in;
	s->out_len -= (size_t)(i->z.next_out - s->out);
	s->out = i->z.next_out;
	if (result < 0 || result > ISAL_OUT_OVERFLOW)
		return CODEC_BAD;
	return i->z.block_state == ISAL_BLOCK_FINISH ? CODEC_END : CODEC_MORE;
}

void codec_inflate_free(struct codec_inflate *i)
{
	free(i);
}

const char *codec_library(void)
{
	return "ISA-L " DML_ISAL_VERSION;
}
