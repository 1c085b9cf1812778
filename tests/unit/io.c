/*
 * Files that are hashed as they pass through, on a kernel that has its moods: the system
 * calls below stand in for libc's and fail, or do half of their work, as a test wants it.
 */
#undef _FORTIFY_SOURCE /* it has a read() of its own */
#include "io.h"

#include "buf.h"
#include "die.h"
#include "scratch.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct kernel {
	size_t at_most;   /* bytes of a read or write; 0: no limit */
	bool interrupted; /* every second read or write is, by a signal */
	bool lossy;       /* write says it wrote, but did not */
	int fail_write, fail_read, fail_fsync, fail_close; /* with this errno, if not 0 */
	unsigned calls, syncs, closes;
} kernel;

static const struct kernel no_moods;

static bool fails(int error)
{
	kernel.calls++;
	errno = error != 0 ? error : EINTR;
	return error != 0 || (kernel.interrupted && kernel.calls % 2 != 0);
}

static size_t limit(size_t len)
{
	return kernel.at_most > 0 && kernel.at_most < len ? kernel.at_most : len;
}

ssize_t write(int fd, const void *data, size_t len)
{
	if (fd == STDERR_FILENO)
		return syscall(SYS_write, fd, data, len);
	if (fails(kernel.fail_write))
		return -1;
	if (kernel.lossy)
		return (ssize_t)len;
	return syscall(SYS_write, fd, data, limit(len));
}

ssize_t read(int fd, void *data, size_t len)
{
	return fails(kernel.fail_read) ? -1 : syscall(SYS_read, fd, data, limit(len));
}

int fsync(int fd)
{
	kernel.syncs++;
	errno = kernel.fail_fsync;
	return kernel.fail_fsync != 0 ? -1 : (int)syscall(SYS_fsync, fd);
}

int close(int fd)
{
	int result = (int)syscall(SYS_close, fd);

	kernel.closes++;
	errno = kernel.fail_close;
	return kernel.fail_close != 0 ? -1 : result;
}

/* Bytes without a period that a buffer's size could hide. */
static char *sample(size_t len)
{
	char *data = mem_alloc(len);
	uint32_t state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		data[i] = (char)(state >> 24);
	}
	return data;
}

static int create(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* Writes in pieces of `piece`, reads it back, and compares everything. */
static void test_round_trip(size_t len, size_t piece, const char *what)
{
	char *path = scratch_path("file"), *data = sample(len), expected[HASH_TEXT];
	struct io_sum written, read_back;
	struct io_writer w;
	struct io_reader r;
	struct buf b = {0};
	size_t n;

	io_writer_open(&w, create(path), "file");
	for (size_t done = 0; done < len; done += piece)
		io_writer_add(&w, data + done, piece < len - done ? piece : len - done);
	io_writer_close(&w, &written);
	ok(w.fd == -1 && w.buffer == NULL && w.name == NULL, "%s: the writer is closed", what);

	io_reader_open(&r, open(path, O_RDONLY | O_CLOEXEC), "file");
	while ((n = io_reader_next(&r, buf_room(&b, 5000), 5000)) > 0)
		b.len += n;
	io_reader_close(&r, &read_back);
	ok(r.fd == -1 && r.name == NULL, "%s: the reader is closed", what);

	hash_of(data, len, expected);
	is_number(written.size, len, "%s: bytes written", what);
	is_string(written.sha256, expected, "%s: their hash", what);
	is_number(read_back.size, len, "%s: bytes read", what);
	is_string(read_back.sha256, expected, "%s: their hash", what);
	ok(b.len == len && (len == 0 || memcmp(b.data, data, len) == 0), "%s: the same", what);
	buf_free(&b);
	free(data);
	free(path);
}

static void test_moods(void)
{
	test_round_trip(0, 1, "empty");
	test_round_trip(1000, 1, "byte by byte");
	test_round_trip(262143, 262143, "a buffer less one");
	test_round_trip(262144, 262144, "a buffer");
	test_round_trip(262145, 262145, "a buffer and one");
	test_round_trip(1000000, 999, "in pieces");
	test_round_trip(1000000, 1000000, "in one piece");
	kernel.at_most = 7;
	test_round_trip(100000, 30000, "short writes and reads");
	kernel.interrupted = true;
	test_round_trip(100000, 30000, "and a signal at each second");
	kernel = no_moods;

	struct io_writer w;
	struct io_sum sum;
	char *path = scratch_path("file");
	io_writer_open(&w, create(path), "file");
	io_writer_close(&w, &sum);
	is_number(kernel.syncs, 1, "a file is synced once");
	is_number(kernel.closes, 1, "and closed once");
	free(path);
}

static void test_write_all(void)
{
	char *data = sample(5000), *path = scratch_path("all");
	int fd = create(path);
	size_t len;

	kernel.at_most = 1;
	kernel.interrupted = true;
	io_write_all(fd, path, data, 5000);
	io_write_all(fd, path, data, 0);
	kernel = no_moods;
	close(fd);
	char *content = scratch_read("all", &len);
	ok(len == 5000 && memcmp(content, data, len) == 0, "all is written, in whatever bits");
	free(content);
	free(data);
	free(path);
}

static void write_file(const char *path)
{
	struct io_writer w;
	struct io_sum sum;

	io_writer_open(&w, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), "x");
	io_writer_add(&w, "ab", 2);
	io_writer_close(&w, &sum);
}

static void read_path(const char *path)
{
	struct io_reader r;
	char c;

	io_reader_open(&r, open(path, O_RDONLY | O_CLOEXEC), "x");
	io_reader_next(&r, &c, 1);
}

static void sync_path(const char *path)
{
	io_sync(open(path, O_RDONLY | O_CLOEXEC), "x");
}

static const struct failure {
	const char *test;
	void (*body)(const char *path);
	const char *file; /* in the scratch directory; "full" is not empty */
	struct kernel mood;
	unsigned status;
	const char *says;
} failures[] = {
	{"a file is written without a word", write_file, "new", {0}, 0, ""},
	{"a full disk dies", write_file, "new", {.fail_write = ENOSPC}, DIE_AGAIN,
		"cannot write \"x\": No space left on device\nhint: make space"},
	{"so does an fsync that failed", write_file, "new", {.fail_fsync = EIO}, DIE_AGAIN,
		"cannot fsync \"x\": Input/output error\nhint: mend the file system"},
	{"and a close that failed", write_file, "new", {.fail_close = EDQUOT}, DIE_AGAIN,
		"cannot close \"x\": Disk quota exceeded\nhint: make space"},
	{"a write that lost its data is found", write_file, "new", {.lossy = true}, DIE_AGAIN,
		"\"x\" holds 0 bytes, but 2 were written"},
	{"and a file that was not empty", write_file, "full", {0}, DIE_AGAIN,
		"\"x\" holds 3 bytes, but 2 were written"},
	{"a read that failed dies", read_path, "full", {.fail_read = EIO}, DIE_AGAIN,
		"cannot read \"x\": Input/output error"},
	{"and one of a directory", read_path, ".", {0}, DIE_AGAIN,
		"cannot read \"x\": Is a directory"},
	{"a directory is synced without a word", sync_path, ".", {0}, 0, ""},
	{"or dies", sync_path, ".", {.fail_fsync = EIO}, DIE_AGAIN,
		"cannot fsync \"x\": Input/output error"},
};

static void count_syncs(void)
{
	dprintf(STDERR_FILENO, "%u fsyncs\n", kernel.syncs);
}

static void run_failure(const void *context)
{
	const struct failure *f = context;
	char *path = scratch_path(f->file);

	kernel = f->mood;
	f->body(path);
	free(path);
}

static void run_failure_and_count(const void *context)
{
	atexit(count_syncs);
	run_failure(context);
}

static void test_failures(void)
{
	static const struct failure fsync_fails = {
		.body = write_file, .file = "new", .mood = {.fail_fsync = EIO}};
	char *new = scratch_path("new");

	scratch_file("full", "abc", 3);
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
		ends(run_failure, &failures[i], failures[i].status, failures[i].says,
			failures[i].test);
		unlink(new);
	}
	ends(run_failure_and_count, &fsync_fails, DIE_AGAIN, "cannot fsync\n1 fsyncs",
		"an fsync that failed is not tried again");
	free(new);
}

int main(void)
{
	scratch();
	test_moods();
	test_write_all();
	test_failures();
	return done_testing();
}
