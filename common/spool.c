#include "spool.h"

#include "buf.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DIRECTORY = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

static void look_at(const struct spool_dir *dir, struct stat *st)
{
	if (fstat(dir->fd, st) != 0)
		io_die("cannot stat \"%s\"", dir->path);
}

/*
 * Whoever can write to a directory or file, or give himself the right to, can put anything in a
 * batch's place.  A group may: it was let in on purpose, or has no other member.  That of what
 * stands above the spool (one below /tmp) is the user's own business.
 */
bool spool_trusts(const struct spool_dir *dir, const char *path, const struct stat *st)
{
	if ((st->st_mode & S_IWOTH) != 0) {
		complain((st->st_mode & S_ISVTX) != 0
				 ? "make a directory of your own in it, with mkdir -m 700"
				 : "look at what is in it, then chmod -R o-w it",
			"\"%s\" can be written by anybody", path);
		return false;
	}
	if (st->st_uid != geteuid() && st->st_uid != 0 && st->st_uid != dir->owner) {
		complain("look at what is in it, then chown it or move it out of the spool",
			"\"%s\" belongs to another user, of id %lu", path,
			(unsigned long)st->st_uid);
		return false;
	}
	return true;
}

static bool is_trusted(const struct spool_dir *dir)
{
	struct stat st;

	look_at(dir, &st);
	return spool_trusts(dir, dir->path, &st);
}

static void expect_trusted(const struct spool_dir *dir)
{
	if (!is_trusted(dir))
		exit(DIE_PERSON);
}

enum die_status spool_try(struct spool_dir *dir, const char *path)
{
	size_t len = strlen(path);
	struct stat st;

	while (len > 1 && path[len - 1] == '/')
		len--;
	dir->path = mem_format("%.*s", (int)len, path);
	dir->fd = open(path, DIRECTORY);
	if (dir->fd < 0) {
		bool stays_so = errno == ENOENT || errno == ENOTDIR;
		enum die_status status = stays_so ? DIE_PERSON : io_status(errno);

		complain(errno == ENOTDIR  ? "name a directory, not a file"
			 : errno == ENOENT ? "name a directory that exists, or make it with "
					     "mkdir -m 700"
					   : io_hint(errno),
			"cannot open \"%s\": %s", path, strerror(errno));
		free(dir->path);
		return status;
	}
	look_at(dir, &st);
	dir->owner = st.st_uid;
	if (is_trusted(dir))
		return DIE_DONE;
	spool_close(dir);
	return DIE_PERSON;
}

void spool_open(struct spool_dir *dir, const char *path)
{
	enum die_status status = spool_try(dir, path);

	if (status != DIE_DONE)
		exit((int)status);
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
		io_die("cannot open \"%s/%s\"", parent->path, name);
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
		*status = die_worst(*status, io_status(errno));
		complain(errno == EACCES
				 ? "look at its owner and mode, or move it out of the spool"
				 : io_hint(errno),
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

static enum die_status make_and_enter(
	const struct spool_dir *parent, const char *name, struct spool_dir *dir)
{
	enum die_status status = DIE_DONE;

	if (!spool_make(parent, name) && errno != EEXIST) {
		bool forbidden = errno == EACCES || errno == EPERM;

		status = io_status(errno);
		complain(forbidden ? "look at the owner and mode of the directory above"
				   : io_hint(errno),
			"cannot make the directory \"%s/%s\": %s", parent->path, name,
			strerror(errno));
		return status;
	}
	if (spool_peek(parent, name, dir, &status) || status != DIE_DONE)
		return status;
	complain("remove it, or choose another spool", "\"%s/%s\" is no directory",
		parent->path, name);
	return DIE_PERSON;
}

static enum die_status look_at_space(const struct spool_dir *dir)
{
	struct statvfs fs;
	int error = 0;

	if (fstatvfs(dir->fd, &fs) != 0)
		error = errno;
	else if ((fs.f_flag & ST_RDONLY) != 0)
		error = EROFS;
	else if (fs.f_blocks > 0 && fs.f_bavail == 0)
		error = ENOSPC;
	if (error == 0)
		return DIE_DONE;
	complain(io_hint(error), "cannot write in \"%s\": %s", dir->path, strerror(error));
	return io_status(error);
}

/* A directory that is there may be what somebody made who died before it was durable. */
enum die_status spool_enter_target(
	const struct spool_dir *spool, const struct label *label, struct spool_dir *dir)
{
	struct spool_dir host = {.fd = -1};
	enum die_status status = make_and_enter(spool, label->host, &host);

	if (status != DIE_DONE)
		return status;
	io_sync(spool->fd, spool->path);
	status = make_and_enter(&host, label->db, dir);
	if (status == DIE_DONE) {
		io_sync(host.fd, host.path);
		status = look_at_space(dir);
		if (status != DIE_DONE)
			spool_close(dir);
	}
	spool_close(&host);
	return status;
}

enum die_status spool_enter_table(
	const struct spool_dir *target, const struct name *table, struct spool_dir *dir)
{
	struct buf name = {0};
	enum die_status status = DIE_PERSON;

	if (name_to_directory(&name, table))
		status = make_and_enter(target, name.data, dir);
	else
		complain("rename the table or its schema",
			"the name of table \"%s\" is too long for a directory", table->table);
	if (status == DIE_DONE && !spool_may_rename(dir)) {
		status = io_status(errno);
		complain(io_hint(errno), "cannot write in \"%s\": %s", dir->path,
			strerror(errno));
		spool_close(dir);
	}
	buf_free(&name);
	return status;
}

void spool_close(struct spool_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	*dir = (struct spool_dir){.fd = -1};
}

void spool_open_again(const struct spool_dir *dir, struct spool_dir *again)
{
	if (!open_below(dir, ".", again))
		io_die("cannot open \"%s\"", dir->path);
	mem_replace(&again->path, dir->path);
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

/* Where the file system has no RENAME_NOREPLACE, our lock on the directory makes the look
 * before the leap good enough. */
int spool_move(const struct spool_dir *dir, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(dir->fd, from, dir->fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	if (fstatat(dir->fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	if (errno != ENOENT || renameat(dir->fd, from, dir->fd, to) != 0)
		return errno;
	return 0;
}

bool spool_rename(const struct spool_dir *dir, const char *from, const char *to)
{
	errno = spool_move(dir, from, to);
	if (errno == 0)
		return true;
	if (errno == EEXIST)
		return false;
	io_die("cannot rename \"%s/%s\" to \"%s\"", dir->path, from, to);
}
