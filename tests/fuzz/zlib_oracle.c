#define ZLIB_CONST
#include "zlib_oracle.h"

#include "fuzz.h"

#include <zlib.h>

struct oracle oracle_inflate(const uint8_t *data, size_t size, bool gzip)
{
	static unsigned char out[ORACLE_MAX];
	z_stream z = {.next_in = data,
		.avail_in = (uInt)size,
		.next_out = out,
		.avail_out = sizeof out};

	must(inflateInit2(&z, gzip ? 15 + 16 : -15) == Z_OK, "zlib has memory");
	int result = inflate(&z, Z_NO_FLUSH);
	inflateEnd(&z);
	return (struct oracle){.whole = result == Z_STREAM_END,
		.used = size - z.avail_in,
		.data = out,
		.len = sizeof out - z.avail_out};
}

uint32_t oracle_crc32(const void *data, size_t len)
{
	return (uint32_t)crc32(0, data, (uInt)len);
}
