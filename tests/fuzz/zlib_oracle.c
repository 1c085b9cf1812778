#define ZLIB_CONST
#include "zlib_oracle.h"

#include "buf.h"
#include "fuzz.h"

#include <zlib.h>

struct oracle oracle_inflate(const uint8_t *data, size_t size, bool gzip)
{
	z_stream z = {.next_in = data, .avail_in = (uInt)size};
	struct buf out = {0};
	int result;

	must(inflateInit2(&z, gzip ? 15 + 16 : -15) == Z_OK, "zlib has memory");
	do {
		z.next_out = (unsigned char *)buf_room(&out, 65536);
		z.avail_out = 65536;
		result = inflate(&z, Z_NO_FLUSH);
		out.len += 65536 - z.avail_out;
	} while (result == Z_OK && z.avail_out == 0 && out.len < ORACLE_MAX);
	inflateEnd(&z);
	return (struct oracle){.whole = result == Z_STREAM_END,
		.used = size - z.avail_in,
		.data = (unsigned char *)out.data,
		.len = out.len};
}

uint32_t oracle_crc32(const void *data, size_t len)
{
	return (uint32_t)crc32(0, data, (uInt)len);
}
