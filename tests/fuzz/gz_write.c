/*
 * The gzip writer, in whatever pieces and at whatever level: zlib reads one whole stream, and
 * what went in comes out.
 *
 * The input's first byte is the level, the rest also the lengths of the pieces. One input in
 * LONG_EACH is repeated until it is longer than any buffer: by its check sum, or else most
 * that the fuzzer keeps, and tries others from, are long, and it does little but deflate.
 */
#include "gz.h"

#include "buf.h"
#include "fuzz.h"
#include "zlib_oracle.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECES_MAX = 256, LONG_EACH = 32 };

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

static void repeat(struct buf *in)
{
	while (2 * in->len <= ORACLE_MAX) {
		buf_room(in, in->len);
		buf_add(in, in->data, in->len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = {0}, file = {0};

	if (size < 17)
		return 0;
	int level = GZ_LEVEL_MIN + data[0] % (GZ_LEVEL_MAX - GZ_LEVEL_MIN + 1);
	buf_add(&in, data + 1, size - 1);
	if (oracle_crc32(data, size) % LONG_EACH == 0)
		repeat(&in);
	deflate(&file, &in, level, data + 1);

	struct oracle oracle = oracle_inflate((const uint8_t *)file.data, file.len, true);
	must(oracle.whole && oracle.used == file.len, "it is one whole stream");
	must(oracle.len == in.len && memcmp(oracle.data, buf_text(&in), in.len) == 0,
		"what comes out is what went in");
	buf_free(&in);
	buf_free(&file);
	return 0;
}
