/*
 * The gzip writer, in whatever pieces and at whatever level: zlib reads one whole stream, and
 * what went in comes out.
 *
 * The input's first byte is the level, the second says how often the rest is repeated, so
 * that some inputs, one in sixteen by chance, are longer than any buffer; the rest is also the
 * lengths of the pieces.
 */
#include "gz.h"

#include "buf.h"
#include "fuzz.h"
#include "zlib_oracle.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECES_MAX = 256 };

static void deflate(struct buf *file, const struct buf *in, int level, const uint8_t *lengths)
{
	static int fd = -1; /* one for all inputs: making a file costs more than writing it */

	if (fd < 0)
		fd = memfd_create("gz", MFD_CLOEXEC);
	must(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0,
		"there is memory for a file");

	struct gz_writer *w = gz_writer_open(dup(fd), "gz", level);
	struct io_sum sum;
	uint64_t bytes;
	char hash[HASH_TEXT];

	for (size_t done = 0, part, i = 0; done < in->len; done += part, i++) {
		part = (size_t)lengths[i % 16] * lengths[(i + 1) % 16] * lengths[(i + 2) % 16] +
		       1;
		if (part > in->len - done || i == PIECES_MAX)
			part = in->len - done;
		gz_write(w, in->data + done, part);
	}
	gz_writer_close(w, &sum, &bytes);
	must(bytes == in->len, "the writer knows how much went in");
	buf_room(file, sum.size);
	must(pread(fd, file->data, sum.size, 0) == (ssize_t)sum.size, "the file can be read");
	file->len = sum.size;
	must(lseek(fd, 0, SEEK_END) == (off_t)sum.size, "the writer knows the file's size");
	hash_of(file->data, file->len, hash);
	must(strcmp(hash, sum.sha256) == 0, "and its hash");
}

/* `times` is a power of two, so each step adds all that is there; ORACLE_MAX ends it. */
static void repeat(struct buf *in, const uint8_t *data, size_t size, unsigned times)
{
	buf_add(in, data, size);
	for (unsigned i = 1; i < times && 2 * in->len <= ORACLE_MAX; i *= 2) {
		buf_room(in, in->len);
		buf_add(in, in->data, in->len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = {0}, file = {0};

	if (size < 18)
		return 0;
	int level = GZ_LEVEL_MIN + data[0] % (GZ_LEVEL_MAX - GZ_LEVEL_MIN + 1);
	unsigned times = data[1] < 0xf0 ? 1 : 1U << data[1] % 16;
	repeat(&in, data + 2, size - 2, times);
	deflate(&file, &in, level, data + 2);

	struct oracle oracle = oracle_inflate((const uint8_t *)file.data, file.len, true);
	must(oracle.whole && oracle.used == file.len, "it is one whole stream");
	must(oracle.len == in.len && memcmp(oracle.data, buf_text(&in), in.len) == 0,
		"what comes out is what went in");
	buf_free(&in);
	buf_free(&file);
	return 0;
}
