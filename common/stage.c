#include "stage.h"

#include "buf.h"
#include "interrupt.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The stages that dying removes: read by the signal handler, changed with signals blocked. */
struct registered {
	int parent;
	char name[SPOOL_NAME_MAX];
};

static struct registered *registry;
static size_t registered_count;
static pid_t owner; /* a fork's exit is not ours */

static const char *const files[] = {"columns", "ids", "data.gz", "manifest"};

enum { FILES = sizeof files / sizeof *files };

/* Async-signal-safe.  False if something is left.  Not through a link that stands there. */
static bool remove_stage(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < FILES; i++)
		unlinkat(fd, files[i], 0);
	if (fd >= 0)
		close(fd);
	return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

static void remove_registered(void)
{
	if (getpid() != owner)
		return;
	for (size_t i = 0; i < registered_count; i++)
		remove_stage(registry[i].parent, registry[i].name);
	registered_count = 0;
}

static void forget_all(void)
{
	sigset_t before;

	interrupt_block(&before);
	registered_count = 0;
	interrupt_restore(&before);
}

/* Makes the directory and registers it, with signals held back: never one without the other.
 * One that is there already is somebody else's. */
static bool make_and_register(const struct stage *s)
{
	sigset_t before;
	bool made;

	if (registry == NULL) {
		owner = getpid();
		interrupt_add(remove_registered);
		if (atexit(remove_registered) != 0)
			mem_exhausted();
	}
	interrupt_block(&before);
	registry = mem_resize(registry, registered_count + 1, sizeof *registry);
	registry[registered_count].parent = s->dir->fd;
	memcpy(registry[registered_count].name, s->name, SPOOL_NAME_MAX);
	made = spool_make(s->dir, s->name);
	if (made)
		registered_count++;
	interrupt_restore(&before);
	return made;
}

static void open_directory(const struct stage *s, struct spool_dir *directory, struct stat *st)
{
	if (!spool_enter(s->dir, s->name, directory))
		die(DIE_PERSON, "look who else writes there, then run it again",
			"something took the place of the directory \"%s\"", s->path);
	if (fstat(directory->fd, st) != 0)
		io_die("cannot stat \"%s\"", s->path);
}

/*
 * Who owns the table's directory can move the stage and put a link or another directory in its
 * place.  No descriptor is kept: a run over a thousand tables has as many stages.
 */
static void reopen(const struct stage *s, struct spool_dir *directory)
{
	struct stat st;

	open_directory(s, directory, &st);
	if (st.st_dev != s->device || st.st_ino != s->inode)
		die(DIE_PERSON, "look who else writes there, then run it again",
			"another directory took the place of \"%s\"", s->path);
}

void stage_create(struct stage *s, const struct spool_dir *dir, uint64_t number)
{
	struct spool_dir directory;
	struct stat st;

	*s = (struct stage){.dir = dir};
	spool_name(s->name, SPOOL_STAGE, number);
	s->path = mem_format("%s/%s", dir->path, s->name);
	if (!make_and_register(s))
		io_die("cannot make the directory \"%s\"", s->path);
	open_directory(s, &directory, &st);
	s->device = st.st_dev;
	s->inode = st.st_ino;
	spool_close(&directory);
}

int stage_file(const struct stage *s, const char *name)
{
	struct spool_dir directory;
	int fd;

	reopen(s, &directory);
	fd = openat(
		directory.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, 0600) != 0)
		io_die("cannot create \"%s/%s\"", s->path, name);
	spool_close(&directory);
	return fd;
}

/* Another file system, one without links, or a file that has as many as it can. */
static bool wants_copy(int error)
{
	return error == EXDEV || error == EMLINK || error == EPERM || error == EOPNOTSUPP ||
	       error == ENOSYS;
}

static void copy_file(const struct stage *from, const struct stage *to, const char *name,
	const struct io_sum *sum)
{
	char *old = mem_format("%s/%s", from->path, name);
	char *new = mem_format("%s/%s", to->path, name);
	struct spool_dir directory;
	struct io_reader reader;
	struct io_writer writer;
	struct io_sum copied;
	char data[32768];
	int fd;

	reopen(from, &directory);
	fd = openat(directory.fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		io_die("cannot open \"%s\"", old);
	io_reader_open(&reader, fd, old);
	io_writer_open(&writer, stage_file(to, name), new);
	for (size_t len; (len = io_reader_next(&reader, data, sizeof data)) > 0;)
		io_writer_add(&writer, data, len);
	io_reader_close(&reader, &copied);
	if (copied.size != sum->size || strcmp(copied.sha256, sum->sha256) != 0)
		die(DIE_AGAIN, "look who else writes there, then run it again",
			"\"%s\" is not as it was written", old);
	io_writer_close(&writer, &copied);
	spool_close(&directory);
	free(old);
	free(new);
}

void stage_share(const struct stage *from, const struct stage *to, const char *name,
	const struct io_sum *sum)
{
	struct spool_dir old, new;
	bool linked;

	reopen(from, &old);
	reopen(to, &new);
	linked = linkat(old.fd, name, new.fd, name, 0) == 0;
	if (!linked && !wants_copy(errno))
		io_die("cannot link \"%s/%s\" to \"%s\"", from->path, name, to->path);
	spool_close(&old);
	spool_close(&new);
	if (!linked)
		copy_file(from, to, name, sum);
}

void stage_sync(const struct stage *s)
{
	struct spool_dir directory;

	reopen(s, &directory);
	io_sync(directory.fd, s->path);
	spool_close(&directory);
	io_sync(s->dir->fd, s->dir->path);
}

void stage_keep_all(void)
{
	forget_all();
}

bool stage_publish(const struct spool_dir *dir, uint64_t number)
{
	char stage[SPOOL_NAME_MAX], batch[SPOOL_NAME_MAX];

	spool_name(stage, SPOOL_STAGE, number);
	spool_name(batch, SPOOL_BATCH, number);
	if (!spool_rename(dir, stage, batch))
		return false;
	io_sync(dir->fd, dir->path);
	return true;
}

void stage_discard(const struct spool_dir *dir, uint64_t number)
{
	char name[SPOOL_NAME_MAX];

	spool_name(name, SPOOL_STAGE, number);
	if (!remove_stage(dir->fd, name) && errno != ENOENT)
		warn("cannot remove \"%s/%s\", which a run that failed left: %s", dir->path,
			name, strerror(errno));
}

void stage_free(struct stage *s)
{
	free(s->path);
	*s = (struct stage){0};
}
