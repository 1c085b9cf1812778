/* How a batch leaves the spool. */
#include "batch.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* True if the file is another than was seen when the batch was opened. */
static bool is_other(
	const struct spool_dir *dir, const char *name, const struct batch_seen *seen)
{
	struct stat st;

	return seen->known && fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_size != seen->size || st.st_mtim.tv_sec != seen->time.tv_sec ||
		       st.st_mtim.tv_nsec != seen->time.tv_nsec);
}

/* A source that was installed anew counts from 1 again: another batch of that number may have
 * taken the place of the one that was applied, file by file. */
static bool is_replaced(const struct spool_dir *table, const char *name, const struct batch *b)
{
	struct spool_dir dir;
	bool replaced;

	if (!spool_enter(table, name, &dir))
		return false;
	replaced = is_other(&dir, "manifest", &b->seen[FILE_COUNT]);
	for (enum manifest_file f = 0; f < FILE_COUNT; f++)
		replaced |= is_other(&dir, manifest_file_name(f), &b->seen[f]);
	spool_close(&dir);
	return replaced;
}

static enum die_status cannot_rename(
	const struct spool_dir *table, const char *batch, const char *done, int error)
{
	complain("use --keep, or check its owner, mode and file system",
		"cannot rename \"%s/%s\" to \"%s\": %s", table->path, batch, done,
		strerror(error));
	return error == EXDEV ? DIE_PERSON : io_status(error);
}

static enum die_status leave_other(const struct spool_dir *table, const char *batch)
{
	complain("run it again when shipping is done",
		"\"%s/%s\" was replaced by another while it was applied", table->path, batch);
	return DIE_NOT_NOW;
}

/* It can't go back to its name: there is a directory again, which the rest is shipped to.  The
 * next run would remove it if it stayed. */
static enum die_status keep_other(
	const struct spool_dir *table, const char *batch, const char *done)
{
	char *hint =
		mem_format("when shipping is done, move from there what \"%s/%s\" lacks, and "
			   "remove the rest; then run it again",
			table->path, batch);
	char kept[SPOOL_NAME_MAX + 16];
	int error = EEXIST;

	for (int n = 1; error == EEXIST && n < 1000; n++) {
		snprintf(kept, sizeof kept, ".%s.kept.%d", batch, n);
		error = spool_move(table, done, kept);
	}
	complain(hint,
		"\"%s/%s\" was replaced by another while it was applied, and that by a third: "
		"what came first is in \"%s/%s\"",
		table->path, batch, table->path, error == 0 ? kept : done);
	free(hint);
	return DIE_NOT_NOW;
}

/* Under its new name nobody ships to it any more. */
static enum die_status put_back(
	const struct spool_dir *table, const char *batch, const char *done)
{
	if (spool_move(table, done, batch) == 0)
		return leave_other(table, batch);
	return keep_other(table, batch, done);
}

/* Who dies between the two names leaves what the next run takes for applied: so it is looked at
 * under the old one first, and under the new one only for what came in that instant. */
enum die_status batch_remove(const struct spool_dir *table, const struct batch *b)
{
	char batch[SPOOL_NAME_MAX], done[SPOOL_NAME_MAX];
	int error;

	spool_name(batch, SPOOL_BATCH, b->number);
	spool_name(done, SPOOL_DONE, b->number);
	if (is_replaced(table, batch, b))
		return leave_other(table, batch);
	error = spool_move(table, batch, done);
	if (error == EEXIST) {
		batch_remove_rest(table, b->number);
		error = spool_move(table, batch, done);
	}
	if (error == EEXIST) {
		warn("cannot remove \"%s/%s\": \"%s\" is in the way", table->path, batch, done);
		return DIE_DONE;
	}
	if (error == ENOENT)
		return DIE_DONE;
	if (error != 0)
		return cannot_rename(table, batch, done, error);
	if (is_replaced(table, done, b))
		return put_back(table, batch, done);
	batch_remove_rest(table, b->number);
	return DIE_DONE;
}

/* Removes all files in it, however many. */
static void empty(const struct spool_dir *dir)
{
	for (bool again = true; again;) {
		struct spool_list list;

		spool_list(dir, &list);
		again = list.more_dots + list.more_others > 0;
		for (size_t i = 0; i < list.count; i++)
			if (unlinkat(dir->fd, list.entry[i].name, 0) != 0)
				again = false;
		spool_list_free(&list);
	}
}

/* A file, or a directory of files: rsync's --delay-updates and --partial-dir make such. */
static bool remove_left(const struct spool_dir *dir, const char *name)
{
	struct spool_dir left;
	enum die_status told = DIE_DONE;

	if (unlinkat(dir->fd, name, 0) == 0)
		return true;
	if ((errno != EISDIR && errno != EPERM) || !spool_peek(dir, name, &left, &told))
		return false;
	empty(&left);
	spool_close(&left);
	return unlinkat(dir->fd, name, AT_REMOVEDIR) == 0;
}

static void remove_ours(const struct spool_dir *done)
{
	(void)unlinkat(done->fd, "manifest", 0);
	for (enum manifest_file f = 0; f < FILE_COUNT; f++)
		(void)unlinkat(done->fd, manifest_file_name(f), 0);
}

/*
 * Its own files and what rsync left (names with a dot); a stranger stays and is told.  A power
 * cut must not undo the rename and keep what was removed after it: that would be a batch of
 * which the half is missing.
 */
void batch_remove_rest(const struct spool_dir *table, uint64_t number)
{
	char name[SPOOL_NAME_MAX];
	struct spool_dir done;
	struct spool_list list;

	spool_name(name, SPOOL_DONE, number);
	if (!spool_enter(table, name, &done))
		return;
	io_sync(table->fd, table->path);
	remove_ours(&done);
	spool_list(&done, &list);
	for (size_t i = 0; i < list.count; i++) {
		const char *file = list.entry[i].name;

		if (file[0] != '.' || !remove_left(&done, file))
			warn("cannot remove \"%s/%s\": remove it by hand", done.path, file);
	}
	spool_list_free(&list);
	if (unlinkat(table->fd, name, AT_REMOVEDIR) != 0 && errno != ENOTEMPTY &&
		errno != ENOENT)
		warn("cannot remove \"%s\": %s", done.path, strerror(errno));
	spool_close(&done);
}
