/* zlib, asked directly and all at once: what a gzip or deflate stream really holds. */
#ifndef DML_ZLIB_ORACLE_H
#define DML_ZLIB_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ORACLE_MAX = 36 * 1024
}; /* bytes inflated: a window and more, and far more than IO_BUFFER */

struct oracle {
	bool whole;                /* the stream has an end, and its check sums are right */
	size_t used;               /* bytes of the input that belong to it */
	const unsigned char *data; /* inflated so far, if it isn't whole; until the next call */
	size_t len;
};

/* `gzip`: with a header and a trailer; else deflate alone. */
struct oracle oracle_inflate(const uint8_t *data, size_t size, bool gzip);

uint32_t oracle_crc32(const void *data, size_t len);

#endif
