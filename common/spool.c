#include "spool.h"

#include "buf.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char try_again[] = "mend the file system, then run it again";

enum { DIRECTORY = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

static void look_at(const struct spool_dir *dir, struct stat *st)
{
	if (fstat(dir->fd, st) != 0)
		die_errno(DIE_AGAIN, try_again, "cannot stat \"%s\"", dir->path);
}

/*
 * Whoever can write to a directory, or give himself the right to, can put anything in a
 * batch's place.  A group may: it was let in on purpose, or has no other member.  That of what
 * stands above the spool (one below /tmp) is the user's own business.
 */
static bool is_trusted(const struct spool_dir *dir)
{
	struct stat st;

	look_at(dir, &st);
	if ((st.st_mode & S_IWOTH) != 0) {
		complain("chmod o-w it, and look at what is in it",
			"\"%s\" can be written by anybody", dir->path);
		return false;
	}
	if (st.st_uid != geteuid() && st.st_uid != 0 && st.st_uid != dir->owner) {
		complain("look at what is in it, then chown it or move it out of the spool",
			"\"%s\" belongs to another user, of id %lu", dir->path,
			(unsigned long)st.st_uid);
		return false;
	}
	return true;
}

static void expect_trusted(const struct spool_dir *dir)
{
	if (!is_trusted(dir))
		exit(DIE_PERSON);
}

void spool_open(struct spool_dir *dir, const char *path)
{
	size_t len = strlen(path);
	struct stat st;

	while (len > 1 && path[len - 1] == '/')
		len--;
	dir->path = mem_format("%.*s", (int)len, path);
	dir->fd = open(path, DIRECTORY);
	if (dir->fd < 0)
		die_errno(errno == ENOENT || errno == ENOTDIR ? DIE_PERSON : DIE_AGAIN,
			errno == ENOTDIR ? "name a directory, not a file"
					 : "name a directory that exists, or make it with "
					   "mkdir -m 700",
			"cannot open \"%s\"", path);
	look_at(dir, &st);
	dir->owner = st.st_uid;
	expect_trusted(dir);
}

/* False with errno where it can't be opened. */
static bool open_below(const struct spool_dir *parent, const char *name, struct spool_dir *dir)
{
	int fd = openat(parent->fd, name, DIRECTORY | O_NOFOLLOW);

	if (fd < 0)
		return false;
	dir->fd = fd;
	dir->owner = parent->owner;
	dir->path = mem_format("%s/%s", parent->path, name);
	return true;
}

static bool is_no_directory(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
}

bool spool_enter(const struct spool_dir *parent, const char *name, struct spool_dir *dir)
{
	if (!open_below(parent, name, dir)) {
		if (is_no_directory())
			return false;
		die_errno(DIE_AGAIN, "look at its owner and mode", "cannot open \"%s/%s\"",
			parent->path, name);
	}
	expect_trusted(dir);
	return true;
}

/* A table's directory, or one of either part of a label? */
static bool is_of_a_spool(const char *text)
{
	struct name name = {0};
	struct label label = {0};
	char *both = mem_format("%s/x", text);
	bool is = name_from_directory(text, &name) || label_parse(both, &label);

	name_free(&name);
	label_free(&label);
	free(both);
	return is;
}

bool spool_peek(const struct spool_dir *parent, const char *name, struct spool_dir *dir,
	enum die_status *status)
{
	if (!open_below(parent, name, dir)) {
		if (is_no_directory())
			return false;
		if (errno == EACCES && !is_of_a_spool(name)) {
			warn("ignoring \"%s/%s\", which may not be opened", parent->path, name);
			return false;
		}
		*status = die_worst(*status, errno == EACCES ? DIE_PERSON : DIE_AGAIN);
		complain("look at its owner and mode, or move it out of the spool",
			"cannot open \"%s/%s\": %s", parent->path, name, strerror(errno));
		return false;
	}
	if (!is_trusted(dir)) {
		*status = die_worst(*status, DIE_PERSON);
		spool_close(dir);
		return false;
	}
	return true;
}

void spool_allow_many(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Not by chmod(2), which would obey a link that somebody had put there meanwhile. */
bool spool_make(const struct spool_dir *parent, const char *name)
{
	mode_t mask = umask(0);
	bool made = mkdirat(parent->fd, name, 0700) == 0;
	int error = errno;

	umask(mask);
	errno = error;
	return made;
}

/* One that is there may be what somebody made who died before it was durable. */
static void make(const struct spool_dir *parent, const char *name)
{
	if (!spool_make(parent, name) && errno != EEXIST)
		die_errno(DIE_AGAIN, "look at its owner, its mode and the space left",
			"cannot make the directory \"%s/%s\"", parent->path, name);
	io_sync(parent->fd, parent->path);
}

static void make_and_enter(
	const struct spool_dir *parent, const char *name, struct spool_dir *dir)
{
	make(parent, name);
	if (!spool_enter(parent, name, dir))
		die(DIE_PERSON, "remove it, or choose another spool",
			"\"%s/%s\" is no directory", parent->path, name);
}

void spool_enter_table(const struct spool_dir *spool, const struct label *label,
	const struct name *table, struct spool_dir *dir)
{
	struct buf name = {0};
	struct spool_dir host, db;

	if (!name_to_directory(&name, table))
		die(DIE_PERSON, "rename the table or its schema",
			"the name of table \"%s\" is too long for a directory", table->table);
	make_and_enter(spool, label->host, &host);
	make_and_enter(&host, label->db, &db);
	make_and_enter(&db, name.data, dir);
	spool_close(&db);
	spool_close(&host);
	buf_free(&name);
}

void spool_close(struct spool_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	*dir = (struct spool_dir){.fd = -1};
}

bool spool_lock(const struct spool_dir *dir)
{
	if (flock(dir->fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno != EWOULDBLOCK)
		die_errno(DIE_AGAIN, "use a file system that has flock(2)",
			"cannot lock \"%s\"", dir->path);
	return false;
}

bool spool_may_rename(const struct spool_dir *dir)
{
	return faccessat(dir->fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

void spool_expect_writable(const struct spool_dir *dir)
{
	struct statvfs fs;

	if (!spool_may_rename(dir))
		die_errno(DIE_AGAIN, "look at its owner, its mode and its file system",
			"cannot write in \"%s\"", dir->path);
	if (fstatvfs(dir->fd, &fs) != 0)
		die_errno(DIE_AGAIN, try_again, "cannot stat the file system of \"%s\"",
			dir->path);
	if (fs.f_blocks > 0 && fs.f_bavail == 0)
		die(DIE_AGAIN, "make space, then run it again",
			"the file system of \"%s\" is full", dir->path);
}

void spool_name(char name[SPOOL_NAME_MAX], enum spool_kind kind, uint64_t number)
{
	const char *ending = kind == SPOOL_STAGE ? ".tmp" : kind == SPOOL_DONE ? ".done" : "";

	snprintf(name, SPOOL_NAME_MAX, "%s%010" PRIu64 "%s", *ending != '\0' ? "." : "", number,
		ending);
}

/* A name counts only if it is the one that spool_name() gives to its number. */
static struct spool_entry classify(const char *name)
{
	struct spool_entry entry = {.kind = name[0] == '.' ? SPOOL_DOT : SPOOL_OTHER};

	entry.number = strtoull(name + (name[0] == '.'), NULL, 10);
	entry.name = mem_string(name);
	for (enum spool_kind kind = SPOOL_BATCH; kind <= SPOOL_DONE; kind++) {
		char canonical[SPOOL_NAME_MAX];

		spool_name(canonical, kind, entry.number);
		if (strcmp(name, canonical) == 0 && entry.number > 0 &&
			entry.number <= INT64_MAX)
			entry.kind = kind;
	}
	return entry;
}

bool spool_is_batch(const char *name, uint64_t *number)
{
	struct spool_entry entry = classify(name);

	free(entry.name);
	*number = entry.number;
	return entry.kind == SPOOL_BATCH;
}

static int compare(const void *left, const void *right)
{
	const struct spool_entry *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind <= SPOOL_DONE && a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool may_be_directory(const struct dirent *d)
{
	return d->d_type == DT_DIR || d->d_type == DT_UNKNOWN;
}

/* Where there are too many of its kind, counts it only. */
static bool is_kept(struct spool_list *list, enum spool_kind kind, size_t *dots, size_t *others)
{
	if (kind == SPOOL_DOT && ++*dots > SPOOL_STRANGERS_MAX) {
		list->more_dots++;
		return false;
	}
	if (kind == SPOOL_OTHER && ++*others > SPOOL_STRANGERS_MAX) {
		list->more_others++;
		return false;
	}
	return true;
}

static void read_names(const struct spool_dir *dir, struct spool_list *list, bool tree)
{
	int fd = openat(dir->fd, ".", DIRECTORY);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	size_t room = 0, dots = 0, others = 0;
	const struct dirent *d;

	if (stream == NULL)
		die_errno(DIE_AGAIN, "look at its owner and mode", "cannot read \"%s\"",
			dir->path);
	*list = (struct spool_list){0};
	while ((errno = 0, d = readdir(stream)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;

		struct spool_entry entry = classify(d->d_name);

		if (tree ? entry.kind != SPOOL_OTHER || !may_be_directory(d)
			 : !is_kept(list, entry.kind, &dots, &others)) {
			free(entry.name);
			continue;
		}
		if (list->count == room) {
			room = room > 0 ? 2 * room : 16;
			list->entry = mem_resize(list->entry, room, sizeof *list->entry);
		}
		list->entry[list->count++] = entry;
	}
	if (errno != 0)
		die_errno(DIE_AGAIN, try_again, "cannot read \"%s\"", dir->path);
	closedir(stream);
	if (list->count > 0)
		qsort(list->entry, list->count, sizeof *list->entry, compare);
}

void spool_list(const struct spool_dir *dir, struct spool_list *list)
{
	read_names(dir, list, false);
}

void spool_list_tree(const struct spool_dir *dir, struct spool_list *list)
{
	read_names(dir, list, true);
}

void spool_warn_of_strangers(const struct spool_dir *dir, const struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->entry[i].kind == SPOOL_OTHER)
			warn("ignoring \"%s/%s\", which is no batch", dir->path,
				list->entry[i].name);
	if (list->more_others > 0)
		warn("ignoring %zu more in \"%s\"", list->more_others, dir->path);
}

void spool_list_free(struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entry[i].name);
	free(list->entry);
	*list = (struct spool_list){0};
}

/* Where the file system has no RENAME_NOREPLACE, our lock on the directory makes the look
 * before the leap good enough. */
bool spool_rename(const struct spool_dir *dir, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(dir->fd, from, dir->fd, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno == EEXIST)
		return false;
	if (errno == EINVAL || errno == ENOSYS) {
		if (fstatat(dir->fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return false;
		if (errno == ENOENT && renameat(dir->fd, from, dir->fd, to) == 0)
			return true;
	}
	die_errno(DIE_AGAIN, "mend the file system, then run it again",
		"cannot rename \"%s/%s\" to \"%s\"", dir->path, from, to);
}
