/* gzip streams: every size and level comes back, and whatever is no whole stream is refused. */
#include "gz.h"

#include "buf.h"
#include "die.h"
#include "scratch.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the reader is given. */
struct stream {
	const char *data;
	size_t len;
	uint64_t announced; /* bytes, inflated */
};

/* Text that deflates to about a half, with noise in it. */
static char *sample(size_t len)
{
	static const char words[] = "42\tsome text\t\\N\t2024-02-29\n";
	char *data = mem_alloc(len);
	uint32_t state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		data[i] =
			state >> 30 != 0 ? words[i % (sizeof words - 1)] : (char)(state >> 16);
	}
	return data;
}

/* Deflates in pieces of `piece` bytes; the caller frees the result. */
static char *deflated(const char *data, size_t len, size_t piece, int level, size_t *size)
{
	char *path = scratch_path("deflated"), *result;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct gz_writer *w = gz_writer_open(fd, "deflated", level);
	char hash[HASH_TEXT];
	struct io_sum sum;
	uint64_t bytes;

	for (size_t done = 0; done < len; done += piece)
		gz_write(w, data + done, piece < len - done ? piece : len - done);
	gz_writer_close(w, &sum, &bytes);
	result = scratch_read("deflated", size);
	hash_of(result, *size, hash);
	if (bytes != len || sum.size != *size || strcmp(sum.sha256, hash) != 0)
		ok(false, "%zu bytes: the writer knows what it wrote", len);
	free(path);
	return result;
}

/* Inflates all of it; the caller frees `out`. */
static void inflate_all(const struct stream *s, struct buf *out, struct io_sum *sum)
{
	char *path = scratch_path("inflate");
	const void *data;
	size_t n;

	scratch_file("inflate", s->data, s->len);
	struct gz_reader *r =
		gz_reader_open(open(path, O_RDONLY | O_CLOEXEC), path, s->announced);
	while ((n = gz_read(r, &data)) > 0)
		buf_add(out, data, n);
	if (gz_read(r, &data) != 0)
		die(DIE_AGAIN, NULL, "the end is not the end");
	gz_reader_close(r, sum);
	free(path);
}

static bool round_trip(const char *data, size_t len, size_t piece, int level)
{
	struct stream s = {.announced = len};
	struct buf out = {0};
	struct io_sum sum;
	char hash[HASH_TEXT];
	char *stream = deflated(data, len, piece, level, &s.len);

	s.data = stream;
	inflate_all(&s, &out, &sum);
	hash_of(stream, s.len, hash);
	bool good = out.len == len && (len == 0 || memcmp(out.data, data, len) == 0) &&
		    sum.size == s.len && strcmp(sum.sha256, hash) == 0;
	free(stream);
	buf_free(&out);
	return good;
}

/* The reader's pieces are of 256 KiB: sizes around them, and beyond some. */
static void test_round_trips(void)
{
	static const size_t sizes[] = {0, 1, 2, 100, 65535, 65536, 262143, 262144, 262145,
		524287, 524288, 524289, 3000000};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *data = sample(sizes[i]);

		ok(round_trip(data, sizes[i], SIZE_MAX, GZ_LEVEL_DEFAULT), "%zu bytes at once",
			sizes[i]);
		ok(round_trip(data, sizes[i], 1009, GZ_LEVEL_DEFAULT), "%zu in pieces",
			sizes[i]);
		free(data);
	}
	for (int level = GZ_LEVEL_MIN; level <= GZ_LEVEL_MAX; level++) {
		char *data = sample(600000);

		ok(round_trip(data, 600000, 1009, level), "level %d", level);
		ok(round_trip(data, 0, 1, level), "level %d, of nothing", level);
		free(data);
	}
	char *zero = mem_zero(8000000, 1);
	ok(round_trip(zero, 8000000, 8000000, GZ_LEVEL_MAX), "zeros, a thousandth on disk");
	free(zero);
}

static void read_stream(const void *stream)
{
	struct buf out = {0};
	struct io_sum sum;

	inflate_all(stream, &out, &sum);
	buf_free(&out);
}

static void refuses(const struct stream *s, const char *says, const char *test)
{
	ends(read_stream, s, DIE_PERSON, says, test);
}

static const char before_end[] = "ends before its gzip stream does";
static const char after_end[] = "goes on after the end of its gzip stream";
static const char not_whole[] = "is not a whole gzip stream";
static const char too_much[] = "inflates to more than its manifest announces";
static const char too_little[] = "inflates to less than its manifest announces";

static void test_followed(void)
{
	size_t len;
	char *stream = deflated("hello\n", 6, 6, 1, &len);
	struct buf twice = {0};

	buf_add(&twice, stream, len);
	buf_add(&twice, stream, len);
	refuses(&(struct stream){twice.data, 2 * len, 6}, after_end, "a second member");
	refuses(&(struct stream){twice.data, 2 * len, 12}, after_end,
		"a second member that was announced");
	refuses(&(struct stream){twice.data, len + 1, 6}, after_end, "one byte of a second");
	twice.data[len] = '\0';
	refuses(&(struct stream){twice.data, len + 1, 6}, after_end, "a zero at the end");
	twice.data[len] = '\n';
	refuses(&(struct stream){twice.data, len + 1, 6}, after_end, "a newline at the end");
	ends(read_stream, &(struct stream){twice.data, len, 6}, 0, "", "nothing at the end");
	buf_free(&twice);
	free(stream);
}

/* The stream ends just where a piece of the reader's does, and the file doesn't. */
static void test_followed_far_away(void)
{
	const size_t piece = 262144;
	struct buf b = {0};
	size_t len = 0, size = piece;
	char *data = NULL, *stream = NULL;
	uint32_t state = 1;

	/* Noise is stored as it is, with a few bytes around: the size adjusts in one step. */
	data = mem_alloc(piece);
	for (size_t i = 0; i < piece; i++) {
		state = state * 1664525 + 1013904223;
		data[i] = (char)(state >> 24);
	}
	for (int i = 0; i < 4 && len != piece; i++) {
		free(stream);
		stream = deflated(data, size, size, 1, &len);
		size = size + piece - len;
	}
	is_number(len, piece, "a stream as long as the reader's piece");
	size = size + len - piece;
	buf_add(&b, stream, len);
	ends(read_stream, &(struct stream){b.data, len, size}, 0, "", "is read");
	buf_byte(&b, '\0');
	refuses(&(struct stream){b.data, len + 1, size}, after_end,
		"with a byte more it is not");
	buf_free(&b);
	free(stream);
	free(data);
}

static void test_announced(void)
{
	size_t len, bomb_len;
	char *stream = deflated("hello\n", 6, 6, 1, &len);
	char *zero = mem_zero(5000000, 1);
	char *bomb = deflated(zero, 5000000, 5000000, 9, &bomb_len);

	refuses(&(struct stream){stream, len, 5}, too_much, "a byte more than announced");
	refuses(&(struct stream){stream, len, 0}, too_much, "something instead of nothing");
	refuses(&(struct stream){stream, len, 7}, too_little, "a byte less than announced");
	refuses(&(struct stream){bomb, bomb_len, 100}, too_much, "a bomb");
	refuses(&(struct stream){bomb, bomb_len, 4999999}, too_much, "a bomb, just about");
	refuses(&(struct stream){bomb, bomb_len / 2, 100}, too_much, "half a bomb");
	free(bomb);
	free(zero);
	free(stream);
}

static void test_other_files(void)
{
	static const char text[] = "1\tplain text\n";
	static const char zlib[] = "\x78\x9c\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x08\x4b\x02\x1f";
	static const char method[] = "\x1f\x8b\x07\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";
	static const char named[] =
		"\x1f\x8b\x08\x08\0\0\0\0\0\x03name\0\x03\0\0\0\0\0\0\0\0\0";
	char reserved[sizeof named];

	refuses(&(struct stream){"", 0, 0}, before_end, "an empty file");
	refuses(&(struct stream){text, sizeof text - 1, sizeof text - 1}, not_whole,
		"plain text");
	refuses(&(struct stream){zlib, sizeof zlib - 1, 6}, not_whole, "a zlib stream");
	refuses(&(struct stream){method, sizeof method - 1, 0}, not_whole, "another method");
	for (int bit = 5; bit < 8; bit++) {
		memcpy(reserved, named, sizeof reserved);
		reserved[3] = (char)(reserved[3] | 1 << bit);
		refuses(&(struct stream){reserved, sizeof reserved - 1, 0}, not_whole,
			"a flag of the header that is reserved");
	}
	ends(read_stream, &(struct stream){named, sizeof named - 1, 0}, 0, "",
		"a stream with a name, as gzip(1) writes it");
}

static const char lines[] = "1\tone\n2\ttwo\n3\tthree\n";

/* As read_stream(), but dies if other bytes come out than went in. */
static void read_lines(const void *stream)
{
	struct buf out = {0};
	struct io_sum sum;

	inflate_all(stream, &out, &sum);
	if (strcmp(buf_text(&out), lines) != 0)
		die(DIE_AGAIN, NULL, "wrong bytes");
	buf_free(&out);
}

/* The status of a child that reads; not a test of its own: there are hundreds. */
static unsigned status_of(const char *stream, size_t len)
{
	struct stream s = {stream, len, sizeof lines - 1};
	struct ending end = run_child(read_lines, &s);

	if (end.status != 0 && end.status != DIE_PERSON)
		diag("status %u: %s", end.status, end.said);
	free(end.said);
	return end.status;
}

/* Not every bit of a stream matters: the time in its header does not, nor does what fills
 * its last byte.  But what is read is what was written. */
static void test_torn(void)
{
	unsigned wrong = 0, refused = 0;
	size_t len;
	char *stream = deflated(lines, sizeof lines - 1, sizeof lines, 1, &len);

	for (size_t part = 0; part < len; part++)
		wrong += status_of(stream, part) != DIE_PERSON;
	is_number(wrong, 0, "torn at any byte it is refused");

	for (size_t bit = 0; bit < 8 * len; bit++) {
		stream[bit / 8] = (char)(stream[bit / 8] ^ (1 << bit % 8));
		unsigned status = status_of(stream, len);
		wrong += status != 0 && status != DIE_PERSON;
		refused += status == DIE_PERSON;
		stream[bit / 8] = (char)(stream[bit / 8] ^ (1 << bit % 8));
	}
	is_number(wrong, 0, "whatever bit is flipped, no wrong bytes come out");
	ok(refused > 8 * (len - 8), "all but a few of %zu bytes matter: %u bits", len, refused);
	free(stream);
}

/* A torn one of several pieces: what comes before the tear is no excuse. */
static void test_torn_far_away(void)
{
	size_t len;
	char *data = sample(2000000);
	char *stream = deflated(data, 2000000, 2000000, 1, &len);

	refuses(&(struct stream){stream, len - 1, 2000000}, before_end, "a byte too short");
	refuses(&(struct stream){stream, len - 8, 2000000}, before_end, "without its trailer");
	refuses(&(struct stream){stream, 262144, 2000000}, before_end, "torn behind a piece");
	stream[len - 5] = (char)(stream[len - 5] ^ 1);
	refuses(&(struct stream){stream, len, 2000000}, not_whole, "with a wrong checksum");
	free(stream);
	free(data);
}

static void read_directory(const void *path)
{
	const void *data;

	gz_read(gz_reader_open(open(path, O_RDONLY | O_CLOEXEC), "x", 0), &data);
}

int main(void)
{
	scratch();
	test_round_trips();
	test_followed();
	test_followed_far_away();
	test_announced();
	test_other_files();
	test_torn();
	test_torn_far_away();
	ends(read_directory, scratch(), DIE_AGAIN, "cannot read \"x\"",
		"an error of the file, not of its data, is tried again");
	ok(strstr(gz_library(), "zlib ") == gz_library() ||
			strstr(gz_library(), "ISA-L ") == gz_library(),
		"the library has a name");
	return done_testing();
}
