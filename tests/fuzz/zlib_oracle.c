#define ZLIB_CONST
#include "zlib_oracle.h"

#include "fuzz.h"

#include <zlib.h>

struct oracle oracle_inflate(const uint8_t *data, size_t size, bool gzip)
{
	static unsigned char out[ORACLE_MAX];
	static z_stream z; /* one for all inputs: its memory costs more than what it does */
	int bits = gzip ? 15 + 16 : -15;

	must((z.state == NULL ? inflateInit2(&z, bits) : inflateReset2(&z, bits)) == Z_OK,
		"zlib has memory");
	z.next_in = data;
	z.avail_in = (uInt)size;
	z.next_out = out;
	z.avail_out = sizeof out;
	int result = inflate(&z, Z_NO_FLUSH);
	return (struct oracle){.whole = result == Z_STREAM_END,
		.used = size - z.avail_in,
		.data = out,
		.len = sizeof out - z.avail_out};
}

uint32_t oracle_crc32(const void *data, size_t len)
{
	return (uint32_t)crc32(0, data, (uInt)len);
}
