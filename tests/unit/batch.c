/* A batch as a reader finds it: when it is good, when not ready, and when refused. */
#include "batch.h"

#include "die.h"
#include "sample.h"
#include "scratch.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BATCH "0000000042"

/* Makes the sample batch under a name; what a test mutilates comes after. */
static void make_batch(const char *directory)
{
	const struct {
		const char *name, *data;
		size_t len;
	} files[] = {{"columns", SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1},
		{"ids", SAMPLE_IDS, sizeof SAMPLE_IDS - 1},
		{"data.gz", SAMPLE_DATA, sizeof SAMPLE_DATA - 1}};
	struct manifest m;
	struct buf text = {0};
	char *name = mem_format("%s/manifest", directory);

	scratch_directory(directory, 0700);
	sample_manifest(&m);
	manifest_encode(&text, &m);
	scratch_file(name, text.data, text.len);
	free(name);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		name = mem_format("%s/%s", directory, files[i].name);
		scratch_file(name, files[i].data, files[i].len);
		free(name);
	}
	manifest_free(&m);
	buf_free(&text);
}

static void cut(const char *name, off_t len)
{
	char *path = scratch_path(name);

	if (truncate(path, len) != 0)
		bail_out(path);
	free(path);
}

static void make_fifo(const char *name)
{
	char *path = scratch_path(name);

	if (mkfifo(path, 0600) != 0)
		bail_out(path);
	free(path);
}

static void make_socket(const char *name)
{
	char *path = scratch_path(name);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	buf_copy(address.sun_path, sizeof address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		bail_out(path);
	close(fd);
	free(path);
}

static void flip_in_manifest(void)
{
	size_t len;
	char *text = scratch_read(BATCH "/manifest", &len);

	text[0] ^= 1;
	scratch_file(BATCH "/manifest", text, len);
	free(text);
}

static void replace_in_manifest(const char *from, const char *to)
{
	struct buf b = {0};
	size_t len;
	char *text = scratch_read(BATCH "/manifest", &len);

	buf_add(&b, text, len);
	if (!sample_replace(&b, from, to))
		bail_out(from);
	scratch_file(BATCH "/manifest", b.data, b.len);
	buf_free(&b);
	free(text);
}

/* One way to spoil a batch: what is done to which file. */
enum how {
	NOTHING,
	REMOVE,
	CUT,
	EMPTY,
	LENGTHEN,
	DIRECTORY,
	LINK,
	DANGLE,
	FIFO,
	SOCKET,
	HUGE,
	FLIP,
	OTHER_NUMBER,
	NEWER,
	FOREIGN,
};

static const struct spoilt {
	const char *test, *file;
	enum how how;
	enum batch_state state;
	const char *why;
} spoilt[] = {
	{"whole", NULL, NOTHING, BATCH_GOOD, NULL},
	{"no manifest", "manifest", REMOVE, BATCH_NOT_READY, NULL},
	{"an empty manifest", "manifest", EMPTY, BATCH_NOT_READY, NULL},
	{"a torn manifest", "manifest", CUT, BATCH_NOT_READY, NULL},
	{"no columns", "columns", REMOVE, BATCH_NOT_READY, NULL},
	{"no ids", "ids", REMOVE, BATCH_NOT_READY, NULL},
	{"no data", "data.gz", REMOVE, BATCH_NOT_READY, NULL},
	{"columns short by a byte", "columns", CUT, BATCH_NOT_READY, NULL},
	{"ids short by a byte", "ids", CUT, BATCH_NOT_READY, NULL},
	{"data short by a byte", "data.gz", CUT, BATCH_NOT_READY, NULL},
	{"data empty", "data.gz", EMPTY, BATCH_NOT_READY, NULL},
	{"columns too long", "columns", LENGTHEN, BATCH_REFUSED,
		"its \"columns\" is longer than announced"},
	{"ids too long", "ids", LENGTHEN, BATCH_REFUSED,
		"its \"ids\" is longer than announced"},
	{"data too long", "data.gz", LENGTHEN, BATCH_REFUSED,
		"its \"data.gz\" is longer than announced"},
	{"a directory for a manifest", "manifest", DIRECTORY, BATCH_REFUSED,
		"its \"manifest\" is no regular file"},
	{"a link for a manifest", "manifest", LINK, BATCH_REFUSED,
		"its \"manifest\" is no regular file"},
	{"a link to nothing for a manifest", "manifest", DANGLE, BATCH_REFUSED,
		"its \"manifest\" is no regular file"},
	{"a FIFO for a manifest", "manifest", FIFO, BATCH_REFUSED,
		"its \"manifest\" is no regular file"},
	{"a socket for a manifest", "manifest", SOCKET, BATCH_REFUSED,
		"its \"manifest\" is no regular file"},
	{"a directory for columns", "columns", DIRECTORY, BATCH_REFUSED,
		"its \"columns\" is no regular file"},
	{"a link for ids", "ids", LINK, BATCH_REFUSED, "its \"ids\" is no regular file"},
	{"a FIFO for ids", "ids", FIFO, BATCH_REFUSED, "its \"ids\" is no regular file"},
	{"a link for data", "data.gz", LINK, BATCH_REFUSED,
		"its \"data.gz\" is no regular file"},
	{"a FIFO for data", "data.gz", FIFO, BATCH_REFUSED,
		"its \"data.gz\" is no regular file"},
	{"a socket for data", "data.gz", SOCKET, BATCH_REFUSED,
		"its \"data.gz\" is no regular file"},
	{"a huge manifest", "manifest", HUGE, BATCH_REFUSED,
		"its manifest is larger than 1 MiB"},
	{"a bit of the manifest flipped", "manifest", FLIP, BATCH_REFUSED,
		"its manifest was altered on the way"},
	{"another batch's manifest", "manifest", OTHER_NUMBER, BATCH_REFUSED,
		"its manifest is that of batch 43"},
	{"a newer format", "manifest", NEWER, BATCH_NEWER,
		"its format is newer than this program"},
	{"a wrong line", "manifest", FOREIGN, BATCH_REFUSED,
		"its manifest has a wrong line, \"encoding\""},
};

/* Puts something else in a file's place. */
static void put(const char *name, enum how how)
{
	scratch_remove(name);
	if (how == DIRECTORY)
		scratch_directory(name, 0700);
	else if (how == LINK)
		scratch_link(name, "../elsewhere");
	else if (how == DANGLE)
		scratch_link(name, "nowhere");
	else if (how == FIFO)
		make_fifo(name);
	else if (how == SOCKET)
		make_socket(name);
}

static void spoil(const char *name, enum how how)
{
	size_t len = 0;

	switch (how) {
	case NOTHING:
		break;
	case CUT:
	case EMPTY:
	case LENGTHEN:
	case HUGE:
		free(scratch_read(name, &len));
		cut(name, how == CUT        ? (off_t)len - 1
			  : how == LENGTHEN ? (off_t)len + 1
			  : how == HUGE     ? MANIFEST_MAX + 1
					    : 0);
		break;
	case FLIP:
		flip_in_manifest();
		break;
	case OTHER_NUMBER:
		replace_in_manifest("number 42", "number 43");
		break;
	case NEWER:
		replace_in_manifest("format 1", "format 2");
		break;
	case FOREIGN:
		replace_in_manifest("encoding UTF8", "encoding  TF8");
		break;
	default:
		put(name, how);
	}
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_open(const struct spool_dir *table)
{
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		const struct spoilt *s = &spoilt[i];
		char *name = mem_format(BATCH "/%s", s->file != NULL ? s->file : "");
		unsigned before = open_descriptors();
		struct batch b;
		char *why = NULL;

		make_batch(BATCH);
		spoil(name, s->how);
		enum batch_state state = batch_open(&b, table, SPOOL_BATCH, 42, &why);
		is_number(state, s->state, "%s: the answer", s->test);
		is_string(why, s->why, "%s: why", s->test);
		if (state == BATCH_GOOD)
			batch_close(&b);
		is_number(open_descriptors(), before, "%s: nothing is left open", s->test);
		free(why);
		free(name);
		scratch_remove(BATCH);
	}
}

static void test_good(const struct spool_dir *table)
{
	struct batch b;
	char *why = NULL;

	make_batch(BATCH);
	if (ok(batch_open(&b, table, SPOOL_BATCH, 42, &why) == BATCH_GOOD, "opened")) {
		is_number(b.number, 42, "its number");
		is_number(b.manifest.base, SAMPLE_BASE, "its manifest was read");
		char *name = batch_file_name(&b, FILE_DATA),
		     *path = scratch_path(BATCH "/data.gz");
		is_string(name, path, "its files have names");
		free(path);
		free(name);
		batch_close(&b);
		ok(b.dir.fd == -1 && b.manifest.key == NULL, "closed, it is empty");
	}
	scratch_remove(BATCH);

	make_batch(".0000000042.tmp");
	ok(batch_open(&b, table, SPOOL_STAGE, 42, &why) == BATCH_GOOD, "a stage can be opened");
	batch_close(&b);
	ok(batch_open(&b, table, SPOOL_BATCH, 42, &why) == BATCH_GONE, "a batch it is not");
	scratch_remove(".0000000042.tmp");
}

/* Whatever the answer, closing it does no harm. */
static void close_after(const struct spool_dir *table, enum batch_state expected,
	const char *expected_why, const char *test)
{
	struct batch b;
	char *why = NULL;

	is_number(batch_open(&b, table, SPOOL_BATCH, 42, &why), expected, "%s", test);
	is_string(why, expected_why, "%s: why", test);
	batch_close(&b);
	ok(fcntl(STDIN_FILENO, F_GETFD) >= 0, "%s: closing it closes nothing else", test);
	free(why);
}

static void test_no_batch(const struct spool_dir *table)
{
	if (fcntl(STDIN_FILENO, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != STDIN_FILENO)
		bail_out("standard input");
	close_after(table, BATCH_GONE, NULL, "nothing there");
	if (open("/dev/null", O_RDONLY) < 0)
		bail_out("/dev/null");
	scratch_directory(BATCH, 0700);
	close_after(table, BATCH_GONE, NULL, "an empty directory, as rsync leaves one");
	scratch_file(BATCH "/.manifest.Xa12bc", "", 0);
	close_after(table, BATCH_NOT_READY, NULL, "one in which something arrives");
	scratch_remove(BATCH);
	scratch_file(BATCH, "", 0);
	close_after(table, BATCH_REFUSED, "it is no directory", "a file");
	scratch_remove(BATCH);
	make_batch("elsewhere/batch");
	scratch_link(BATCH, "elsewhere/batch");
	close_after(table, BATCH_REFUSED, "it is no directory", "a link to a batch");
	scratch_remove(BATCH);
	scratch_remove("elsewhere/batch");
}

int main(void)
{
	struct spool_dir table;

	spool_open(&table, scratch());
	scratch_directory("elsewhere", 0700);
	test_open(&table);
	test_good(&table);
	test_no_batch(&table);
	spool_close(&table);
	return done_testing();
}
