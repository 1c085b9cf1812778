#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where open_regular() returns no descriptor; with UNKNOWN, errno says why. */
enum { MISSING = -1, IRREGULAR = -2, UNKNOWN = -3 };

static int open_regular(int dir, const char *name, struct stat *st)
{
	/* O_NONBLOCK: opening a FIFO that nobody writes would wait for ever. */
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT                    ? MISSING
		       : errno == ELOOP || errno == ENXIO ? IRREGULAR
							  : UNKNOWN;

	bool known = fstat(fd, st) == 0;
	int error = errno;

	if (known && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	errno = error;
	return known ? IRREGULAR : UNKNOWN;
}

char *batch_file_name(const struct batch *b, enum manifest_file file)
{
	return mem_format("%s/%s", b->dir.path, manifest_file_name(file));
}

static struct batch_seen seen(const struct stat *st)
{
	return (struct batch_seen){.known = true, .size = st->st_size, .time = st->st_mtim};
}

/* Dies if it can't be opened, or must not be believed. */
static void or_die(const struct batch *b, const char *name, int fd, const struct stat *st)
{
	char *path;

	if (fd == UNKNOWN)
		io_die("cannot open \"%s/%s\"", b->dir.path, name);
	if (fd < 0)
		return;
	path = mem_format("%s/%s", b->dir.path, name);
	if (!spool_trusts(&b->dir, path, st))
		exit(DIE_PERSON);
	free(path);
}

static char *not_regular(const char *name)
{
	return mem_format("its \"%s\" is no regular file", name);
}

/* Everything in the manifest's file, or BATCH_NOT_READY, or BATCH_REFUSED. */
static enum batch_state read_manifest(struct batch *b, struct buf *text, char **why)
{
	struct stat st;
	int fd = open_regular(b->dir.fd, "manifest", &st);
	struct io_reader reader;
	struct io_sum sum;
	size_t n;

	or_die(b, "manifest", fd, &st);
	if (fd == MISSING)
		return BATCH_NOT_READY;
	if (fd == IRREGULAR) {
		*why = not_regular("manifest");
		return BATCH_REFUSED;
	}
	if (st.st_size > MANIFEST_MAX) {
		close(fd);
		*why = mem_string("its manifest is larger than 1 MiB");
		return BATCH_REFUSED;
	}
	b->seen[FILE_COUNT] = seen(&st);
	io_reader_open(&reader, fd, "manifest");
	while (text->len <= MANIFEST_MAX &&
		(n = io_reader_next(&reader, buf_room(text, 4096), 4096)) > 0)
		text->len += n;
	io_reader_close(&reader, &sum);
	return BATCH_GOOD;
}

static enum batch_state judge_manifest(struct batch *b, const struct buf *text, char **why)
{
	const char *wrong = NULL;

	switch (manifest_decode(buf_text(text), text->len, &b->manifest, &wrong)) {
	case MANIFEST_GOOD:
		if (b->manifest.number == b->number)
			return BATCH_GOOD;
		*why = mem_format("its manifest is that of batch %llu",
			(unsigned long long)b->manifest.number);
		break;
	case MANIFEST_TORN:
		if (strchr(buf_text(text), '\r') == NULL)
			return BATCH_NOT_READY;
		*why = mem_string("its manifest was sent as text: it has CRs");
		break;
	case MANIFEST_DAMAGED:
		*why = mem_string("its manifest was altered on the way");
		break;
	case MANIFEST_NEWER:
		*why = mem_string("its format is newer than this program");
		return BATCH_NEWER;
	case MANIFEST_FOREIGN:
		*why = mem_format("its manifest has a wrong line, \"%s\"", wrong);
		break;
	}
	return BATCH_REFUSED;
}

/* Present, regular, and as long as announced? */
static enum batch_state judge_files(struct batch *b, char **why)
{
	for (enum manifest_file f = 0; f < FILE_COUNT; f++) {
		const char *name = manifest_file_name(f);
		struct stat st;
		int fd = open_regular(b->dir.fd, name, &st);

		or_die(b, name, fd, &st);
		if (fd == MISSING)
			return BATCH_NOT_READY;
		if (fd == IRREGULAR) {
			*why = not_regular(name);
			return BATCH_REFUSED;
		}
		close(fd);
		b->seen[f] = seen(&st);
		if ((uint64_t)st.st_size < b->manifest.file[f].size)
			return BATCH_NOT_READY;
		if ((uint64_t)st.st_size > b->manifest.file[f].size) {
			*why = mem_format("its \"%s\" is longer than announced", name);
			return BATCH_REFUSED;
		}
	}
	return BATCH_GOOD;
}

/* rsync makes the directory first; with --remove-source-files it leaves it behind. */
static bool is_empty(const struct spool_dir *dir)
{
	struct spool_list list;
	bool empty;

	spool_list(dir, &list);
	empty = list.count == 0;
	spool_list_free(&list);
	return empty;
}

enum batch_state batch_open_manifest(struct batch *b, const struct spool_dir *table,
	enum spool_kind kind, uint64_t number, char **why)
{
	struct buf text = {0};
	char name[SPOOL_NAME_MAX];
	enum batch_state state;

	*b = (struct batch){.dir = {.fd = -1}, .number = number};
	spool_name(name, kind, number);
	if (!spool_enter(table, name, &b->dir)) {
		if (faccessat(table->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
			return BATCH_GONE;
		*why = mem_string("it is no directory");
		return BATCH_REFUSED;
	}
	state = is_empty(&b->dir) ? BATCH_GONE : read_manifest(b, &text, why);
	if (state == BATCH_GOOD)
		state = judge_manifest(b, &text, why);
	buf_free(&text);
	if (state != BATCH_GOOD)
		batch_close(b);
	return state;
}

enum batch_state batch_open(struct batch *b, const struct spool_dir *table,
	enum spool_kind kind, uint64_t number, char **why)
{
	enum batch_state state = batch_open_manifest(b, table, kind, number, why);

	if (state == BATCH_GOOD && (state = judge_files(b, why)) != BATCH_GOOD)
		batch_close(b);
	return state;
}

enum batch_state batch_peek(struct batch *b, const struct spool_dir *table, uint64_t number)
{
	char *why = NULL;
	enum batch_state state = batch_open(b, table, SPOOL_BATCH, number, &why);

	free(why);
	return state;
}

bool batch_first(struct batch *b, const struct spool_dir *table, const struct spool_list *list)
{
	for (size_t i = 0; i < list->count && list->entry[i].kind == SPOOL_BATCH; i++)
		if (batch_peek(b, table, list->entry[i].number) == BATCH_GOOD)
			return true;
	return false;
}

void batch_close(struct batch *b)
{
	spool_close(&b->dir);
	manifest_free(&b->manifest);
}

int batch_file(const struct batch *b, enum manifest_file file)
{
	const char *name = manifest_file_name(file);
	struct stat st;
	int fd = open_regular(b->dir.fd, name, &st);

	or_die(b, name, fd, &st);
	if (fd < 0)
		die(DIE_AGAIN, "run it again when shipping is done", "\"%s/%s\" went away",
			b->dir.path, name);
	return fd;
}

void batch_expect(const struct batch *b, enum manifest_file file, const struct io_sum *read)
{
	const struct io_sum *announced = &b->manifest.file[file];

	if (read->size != announced->size || strcmp(read->sha256, announced->sha256) != 0)
		die(DIE_PERSON, IO_SHIP_AGAIN, "\"%s/%s\" is not what its manifest announces",
			b->dir.path, manifest_file_name(file));
}

void batch_columns(const struct batch *b, struct columns *columns)
{
	char *name = batch_file_name(b, FILE_COLUMNS);
	struct io_reader reader;
	struct io_sum sum;
	struct buf text = {0};
	size_t n;

	io_reader_open(&reader, batch_file(b, FILE_COLUMNS), name);
	while (text.len <= COLUMNS_BYTES_MAX &&
		(n = io_reader_next(&reader, buf_room(&text, 4096), 4096)) > 0)
		text.len += n;
	io_reader_close(&reader, &sum);
	if (text.len > COLUMNS_BYTES_MAX)
		die(DIE_PERSON, "let what writes the batches keep to dml-spool(5)",
			"\"%s\" is larger than 1 MiB", name);
	batch_expect(b, FILE_COLUMNS, &sum);
	if (!columns_decode(buf_text(&text), text.len, columns))
		die(DIE_PERSON, "export the table again with dml-export --full",
			"\"%s\" is not a list of columns", name);
	buf_free(&text);
	free(name);
}

static bool is_ours(const char *name)
{
	if (strcmp(name, "manifest") == 0)
		return true;
	for (enum manifest_file f = 0; f < FILE_COUNT; f++)
		if (strcmp(name, manifest_file_name(f)) == 0)
			return true;
	return false;
}

void batch_warn_of_strangers(const struct batch *b)
{
	struct spool_list list;
	size_t ours = 0, more;

	spool_list(&b->dir, &list);
	for (size_t i = 0; i < list.count; i++) {
		if (is_ours(list.entry[i].name))
			ours++;
		else
			warn("ignoring \"%s/%s\", which is no part of a batch", b->dir.path,
				list.entry[i].name);
	}
	/* All of ours are there; those that aren't listed are among the others. */
	more = list.more_dots + list.more_others + ours;
	if (more > FILE_COUNT + 1)
		warn("ignoring %zu more in \"%s\"", more - FILE_COUNT - 1, b->dir.path);
	spool_list_free(&list);
}
