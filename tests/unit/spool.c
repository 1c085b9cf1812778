/* The spool's tree: what is opened and what is refused, locks, and renaming. */
#include "spool.h"

#include "scratch.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Stand in for libc's: a file system without RENAME_NOREPLACE, and what another says of itself.
 */
static bool old_file_system;
static struct statvfs file_system;

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	errno = EINVAL;
	if (old_file_system && flags != 0)
		return -1;
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int fstatvfs(int fd, struct statvfs *fs)
{
	(void)fd;
	*fs = file_system;
	return 0;
}

static void open_and_close(const void *path)
{
	struct spool_dir dir;

	spool_open(&dir, path);
	spool_close(&dir);
}

static void opens(const char *name, unsigned status, const char *says, const char *test)
{
	char *path = scratch_path(name);

	ends(open_and_close, path, status, says, test);
	free(path);
}

static void test_open(void)
{
	scratch_directory("private", 0700);
	scratch_directory("public", 0755);
	scratch_directory("open", 0777);
	scratch_directory("o+w", 0702);
	scratch_directory("sticky", 01777);
	scratch_link("link", "private");
	scratch_link("link to open", "open");
	scratch_file("file", "", 0);
	opens("private", 0, "", "a directory");
	opens("private///", 0, "", "with slashes at its end");
	opens("public", 0, "", "one that others may read");
	opens("link", 0, "", "a symbolic link to one: the user's own business");
	opens("open", DIE_PERSON,
		"can be written by anybody\nhint: look at what is in it, then chmod",
		"one that all may write is refused");
	opens("o+w", DIE_PERSON, "can be written by anybody", "if but others may, too");
	opens("sticky", DIE_PERSON,
		"can be written by anybody\nhint: make a directory of your own",
		"though none but their own");
	opens("link to open", DIE_PERSON, "can be written by anybody", "and through a link");
	opens("missing", DIE_PERSON, "/missing\": No such file", "none");
	opens("file", DIE_PERSON, "/file\": Not a directory", "a file");

	char *path = scratch_path("private//");
	struct spool_dir dir;
	spool_open(&dir, path);
	path[strlen(path) - 2] = '\0';
	is_string(dir.path, path, "slashes at its end are not repeated in messages");
	spool_close(&dir);
	ok(dir.fd == -1 && dir.path == NULL, "closed, it is empty");
	spool_close(&dir);
	spool_open(&dir, "/");
	is_string(dir.path, "/", "the root keeps its slash");
	spool_close(&dir);
	free(path);
}

static void enter(const void *name)
{
	struct spool_dir parent, dir;

	spool_open(&parent, scratch());
	exit(spool_enter(&parent, name, &dir) ? 0 : 100);
}

static void test_enter(void)
{
	struct spool_dir parent, dir;

	scratch_link("dangling", "nowhere");
	scratch_link("to a file", "file");
	ends(enter, "private", 0, "", "enters a directory");
	ends(enter, "missing", 100, "", "not one that isn't there");
	ends(enter, "file", 100, "", "nor a file");
	ends(enter, "link", 100, "", "nor a symbolic link, though to a directory");
	ends(enter, "to a file", 100, "", "nor one to a file");
	ends(enter, "dangling", 100, "", "nor one to nothing");
	ends(enter, "open", DIE_PERSON, "can be written by anybody",
		"and dies of one that others can write");

	spool_open(&parent, scratch());
	ok(spool_enter(&parent, "private", &dir), "entered");
	char *path = scratch_path("private");
	is_string(dir.path, path, "its path is known");
	ok((fcntl(dir.fd, F_GETFD) & FD_CLOEXEC) != 0, "no program that we start inherits it");
	free(path);
	spool_close(&dir);
	spool_close(&parent);
}

enum { STRANGER = 65534, OWNER = 65533 };

static void give(const char *name, uid_t uid)
{
	char *path = scratch_path(name);

	if (chown(path, uid, (gid_t)-1) != 0)
		bail_out(path);
	free(path);
}

static void enter_owned(const void *name)
{
	struct spool_dir spool, dir;
	char *path = scratch_path("owned");

	spool_open(&spool, path);
	exit(spool_enter(&spool, name, &dir) ? 0 : 100);
}

/* Root stands for whoever runs it, as well. */
static void test_owners(void)
{
	if (geteuid() != 0) {
		diag("skipped: only root can give directories away");
		return;
	}
	scratch_directory("owned", 0770);
	scratch_directory("owned/ours", 0700);
	scratch_directory("owned/owner's", 0700);
	scratch_directory("owned/stranger's", 0700);
	give("owned", OWNER);
	give("owned/owner's", OWNER);
	give("owned/stranger's", STRANGER);
	ends(enter_owned, "ours", 0, "", "a directory of our own");
	ends(enter_owned, "owner's", 0, "", "one of the spool's owner");
	ends(enter_owned, "stranger's", DIE_PERSON,
		"owned/stranger's\" belongs to another user, of id 65534\nhint: look",
		"one of anybody else is refused");
}

/* 0 if it was opened, 100 if there is none, 101 if it was refused. */
static void peek(const void *name)
{
	struct spool_dir parent, dir;
	enum die_status status = DIE_DONE;

	spool_open(&parent, scratch());
	if (spool_peek(&parent, name, &dir, &status))
		exit(status != DIE_DONE ? 98 : 0);
	exit(status == DIE_PERSON ? 101 : 100);
}

static void peek_without_permission(const void *spool)
{
	struct spool_dir parent, dir;
	enum die_status status = DIE_DONE;

	spool_open(&parent, spool);
	if (geteuid() == 0 && seteuid(65534) != 0) /* root may open anything */
		exit(99);
	if (spool_peek(&parent, "locked", &dir, &status))
		exit(98);
	exit(status == DIE_PERSON ? 101 : 100);
}

/* What one user puts into a spool must not keep others from theirs. */
static void test_peek(void)
{
	char *spool = scratch_path("public");

	scratch_directory("public/locked", 0000);
	ends(peek, "public", 0, "", "peeks into a directory");
	ends(peek, "missing", 100, "", "not into one that isn't there");
	ends(peek, "file", 100, "", "nor a file");
	ends(peek, "link", 100, "", "nor through a symbolic link");
	ends(peek, "open", 101, "error:\n/open\" can be written by anybody\nhint: look",
		"one that others can write is refused");
	ends(peek_without_permission, spool, 101,
		"error: cannot open\n/locked\": Permission denied\nhint: look",
		"so is one that can't be opened");
	if (geteuid() == 0) {
		scratch_directory("stranger's", 0700);
		give("stranger's", STRANGER);
		ends(peek, "stranger's", 101, "error:\n/stranger's\" belongs to another user",
			"and so is one of somebody else");
	}
	free(spool);
}

struct entering {
	const char *spool, *label, *table;
	mode_t umask;
};

static void enter_table(const void *context)
{
	const struct entering *e = context;
	struct spool_dir spool, target, dir;
	enum die_status status;
	struct label label;
	struct name name;
	struct stat st;
	char *path = scratch_path(e->spool);

	umask(e->umask);
	spool_open(&spool, path);
	if (!label_parse(e->label, &label) || !name_parse(e->table, &name))
		exit(99);
	status = spool_enter_target(&spool, &label, &target);
	if (status == DIE_DONE)
		status = spool_enter_table(&target, &name, &dir);
	if (status != DIE_DONE)
		exit((int)status);
	spool_close(&target);
	complain(NULL, "entered %s", dir.path + strlen(scratch()) + 1);
	if (fstat(dir.fd, &st) != 0 || (st.st_mode & 07777) != 0700)
		exit(98);
	/* The spool itself is open still: what was opened is another descriptor. */
	spool_close(&dir);
	if (fstat(spool.fd, &st) != 0)
		exit(97);
}

static void test_enter_table(void)
{
	scratch_directory("spool", 0750);
	ends(enter_table, &(struct entering){"spool", "host/db", "users", 0}, 0,
		"entered spool/host/db/users\n", "makes HOST/DB/TABLE");
	ends(enter_table, &(struct entering){"spool", "host/db", "users", 0}, 0,
		"entered spool/host/db/users\n", "and enters it when it is there");
	ends(enter_table, &(struct entering){"spool", "host/db2", "sales.\"a.b\"", 0777}, 0,
		"entered spool/host/db2/sales.a%2Eb\n", "whatever the umask");

	scratch_link("spool/link", "../private");
	scratch_file("spool/file", "", 0);
	scratch_directory("spool/open", 0777);
	ends(enter_table, &(struct entering){"spool", "link/db", "users", 0}, DIE_PERSON,
		"spool/link\" is no directory", "not through a symbolic link");
	ends(enter_table, &(struct entering){"spool", "file/db", "users", 0}, DIE_PERSON,
		"spool/file\" is no directory", "not through a file");
	ends(enter_table, &(struct entering){"spool", "open/db", "users", 0}, DIE_PERSON,
		"can be written by anybody", "not through what others can write");
	ends(enter_table,
		&(struct entering){"spool", "host/db",
			"\"...............................................................\"."
			"\"...............................................................\"",
			0},
		DIE_PERSON, "is too long for a directory", "nor to a name of 379 bytes");
	ok(scratch_kind("private/db") == '-', "nothing was made behind the link");
}

/* In a child: 0 if it gets the lock of the directory at `path`. */
static void lock(const void *path)
{
	struct spool_dir dir;

	spool_open(&dir, path);
	exit(spool_lock(&dir) ? 0 : 100);
}

static void test_lock(void)
{
	char *path = scratch_path("private"), *other = scratch_path("public");
	struct spool_dir dir;

	ends(lock, path, 0, "", "a lock that nobody holds");
	spool_open(&dir, path);
	ends(lock, path, 0, "", "and one that a process held which is gone");
	ok(spool_lock(&dir), "it is ours");
	ends(lock, path, 100, "", "then it is nobody else's");
	ends(lock, other, 0, "", "another directory's is");
	ok(spool_lock(&dir), "locked again, it stays ours");
	spool_close(&dir);
	ends(lock, path, 0, "", "closed, it is free");
	free(path);
	free(other);
}

/* Root may write anywhere, and stands for whoever may not. */
static void enter_read_only(const void *spool)
{
	struct spool_dir target, dir;
	char *table = mem_string("read-only"), *schema = mem_string("public");
	struct name name = {.schema = schema, .table = table};

	spool_open(&target, spool);
	if (geteuid() == 0 && seteuid(65534) != 0)
		exit(99);
	exit((int)spool_enter_table(&target, &name, &dir));
}

static void test_writable(void)
{
	char *spool = scratch_path("public");
	const struct entering e = {"spool", "host/db", "users", 0};

	scratch_directory("public/read-only", 0555);
	ends(enter_read_only, spool, DIE_PERSON, "read-only\": Permission denied\nhint: look",
		"not into a table's directory without permission");
	file_system = (struct statvfs){.f_blocks = 1};
	ends(enter_table, &e, DIE_AGAIN,
		"spool/host/db\": No space left on device\nhint: make space",
		"nor on a full file system");
	file_system = (struct statvfs){.f_blocks = 1, .f_bavail = 1, .f_flag = ST_RDONLY};
	ends(enter_table, &e, DIE_PERSON, "spool/host/db\": Read-only file system\nhint: mount",
		"nor on one that is read-only");
	file_system = (struct statvfs){0};
	free(spool);
}

struct renaming {
	const char *from, *to;
};

static void rename_in_scratch(const void *context)
{
	const struct renaming *r = context;
	struct spool_dir dir;

	spool_open(&dir, scratch());
	exit(spool_rename(&dir, r->from, r->to) ? 0 : 100);
}

/* Nothing is replaced, whether or not the file system can promise that. */
static void test_rename(void)
{
	ends(rename_in_scratch, &(struct renaming){"old", "file"}, 100, "", "not over a file");
	ends(rename_in_scratch, &(struct renaming){"old", "empty"}, 100, "",
		"not over an empty directory, as rename(2) would");
	ends(rename_in_scratch, &(struct renaming){"old", "dangling"}, 100, "",
		"not over a symbolic link to nothing");
	ends(rename_in_scratch, &(struct renaming){"missing", "new"}, DIE_AGAIN,
		"missing\" to \"new\": No such file", "what isn't there can't be");
	ends(rename_in_scratch, &(struct renaming){"old", "new"}, 0, "", "a directory is");
	ends(rename_in_scratch, &(struct renaming){"old", "newer"}, DIE_AGAIN, "No such file",
		"then the old name is gone");
	size_t len;
	char *content = scratch_read("new/content", &len);
	is_string(content, "x", "and its content is there");
	ends(rename_in_scratch, &(struct renaming){"new", "old"}, 0, "", "and back");
	free(content);
}

int main(void)
{
	scratch();
	test_open();
	test_enter();
	test_owners();
	test_peek();
	test_enter_table();
	test_lock();
	test_writable();
	scratch_directory("old", 0700);
	scratch_directory("empty", 0700);
	scratch_file("old/content", "x", 1);
	test_rename();
	diag("without RENAME_NOREPLACE");
	old_file_system = true;
	test_rename();
	return done_testing();
}
