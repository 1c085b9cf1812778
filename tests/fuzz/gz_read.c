/*
 * The gzip reader against zlib: it takes whatever is one whole stream of the announced
 * length and nothing else, and then gives the same bytes.  Errors of the data die with
 * DIE_PERSON.
 *
 * The first byte of the input says how to go on: whether the rest is a file, or deflated data
 * to which a header and a trailer that fit are added, since no mutation survives a CRC; and
 * what is announced.
 */
#include "gz.h"

#include "buf.h"
#include "die_stub.h"
#include "fuzz.h"
#include "zlib_oracle.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WRAP = 1, ANNOUNCE_MORE = 2, ANNOUNCE_LESS = 4, FOLLOWED = 8, ANNOUNCE_NOTHING = 16 };

/* Reads it all, or as much as is taken, and closes it. */
static bool take(struct gz_reader *r, uint64_t announced, struct buf *out, struct io_sum *sum)
{
	const void *data;
	size_t n;

	if (setjmp(*die_expect()) != 0) {
		die_unexpected();
		must(die_status_seen() == DIE_PERSON, "errors of the data need a person");
		gz_reader_close(r, sum);
		return false;
	}
	while ((n = gz_read(r, &data)) > 0) {
		buf_add(out, data, n);
		must(out->len <= announced, "never more than announced comes out");
	}
	must(gz_read(r, &data) == 0, "the end is the end");
	die_unexpected();
	gz_reader_close(r, sum);
	return true;
}

/* One for all inputs: making a file costs more than reading it. */
static int open_file(const struct buf *file)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("gz", MFD_CLOEXEC);
	must(fd >= 0 && pwrite(fd, buf_text(file), file->len, 0) == (ssize_t)file->len &&
			ftruncate(fd, (off_t)file->len) == 0 && lseek(fd, 0, SEEK_SET) == 0,
		"there is memory for a file");
	return dup(fd);
}

static bool read_file(const struct buf *file, uint64_t announced, struct buf *out)
{
	struct io_sum sum;
	char hash[HASH_TEXT];
	bool taken =
		take(gz_reader_open(open_file(file), "gz", announced), announced, out, &sum);

	if (taken) {
		hash_of(buf_text(file), file->len, hash);
		must(sum.size == file->len && strcmp(sum.sha256, hash) == 0,
			"what was hashed is the file");
	}
	return taken;
}

static void add_number(struct buf *b, uint32_t n)
{
	const unsigned char bytes[] = {(unsigned char)n, (unsigned char)(n >> 8),
		(unsigned char)(n >> 16), (unsigned char)(n >> 24)};

	buf_add(b, bytes, sizeof bytes);
}

/* False if it is more than the oracle inflates, so that nothing can be said of it. */
static bool wrap(struct buf *file, const uint8_t *data, size_t size)
{
	static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	struct oracle raw = oracle_inflate(data, size, false);

	if (raw.len == ORACLE_MAX)
		return false;
	buf_add(file, header, sizeof header);
	buf_add(file, data, raw.used);
	add_number(file, oracle_crc32(raw.data, raw.len));
	add_number(file, (uint32_t)raw.len);
	return true;
}

/* zlib said no, and another library yes: at least the check sums must be right. */
static void check_lenient(const struct buf *file, const struct buf *out, uint64_t announced)
{
	struct buf trailer = {0};

	must(strncmp(gz_library(), "zlib", 4) != 0, "zlib agrees with itself");
	add_number(&trailer, oracle_crc32(buf_text(out), out->len));
	add_number(&trailer, (uint32_t)out->len);
	must(out->len == announced, "what was announced came");
	must(file->len >= 18 && memcmp(file->data, "\x1f\x8b\x08", 3) == 0 &&
			(file->data[3] & 0xe0) == 0,
		"it is gzip, of no reserved flag");
	must(memcmp(file->data + file->len - 8, trailer.data, 8) == 0,
		"its trailer ends the file and fits");
	buf_free(&trailer);
}

static void check(const struct buf *file, unsigned how)
{
	struct oracle oracle = oracle_inflate((const uint8_t *)buf_text(file), file->len, true);
	uint64_t announced = oracle.len;
	struct buf out = {0};

	if (how & ANNOUNCE_NOTHING)
		announced = 0;
	else if (how & ANNOUNCE_MORE)
		announced++;
	else if ((how & ANNOUNCE_LESS) && announced > 0)
		announced--;
	if (oracle.len < ORACLE_MAX) {
		bool expected =
			oracle.whole && oracle.used == file->len && announced == oracle.len;
		bool taken = read_file(file, announced, &out);

		must(taken || !expected, "a whole stream is taken");
		must(!taken || expected || !oracle.whole,
			"what follows, or is not announced, is not");
		if (taken && expected)
			must(out.len == oracle.len &&
					memcmp(buf_text(&out), oracle.data, out.len) == 0,
				"what comes out is what went in");
		else if (taken)
			check_lenient(file, &out, announced);
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf file = {0};

	if (size == 0)
		return 0;
	if (!(data[0] & WRAP))
		buf_add(&file, data + 1, size - 1);
	else if (!wrap(&file, data + 1, size - 1))
		return 0;
	if (data[0] & FOLLOWED)
		buf_byte(&file, (char)data[0]);
	check(&file, data[0]);
	buf_free(&file);
	return 0;
}
