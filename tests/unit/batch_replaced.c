/* What comes in the place of a batch that is removed. */
#include "batch.h"

#include "die.h"
#include "sample.h"
#include "scratch.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BATCH "0000000042"
#define DONE ".0000000042.done"
#define KEPT ".0000000042.kept"

/* What somebody ships in the instant in which the batch is renamed to be removed. */
static enum shipped { NOTHING, A_FILE, A_DIRECTORY } shipped;

static void set_time(const char *name, struct timespec time)
{
	const struct timespec times[] = {time, time};
	char *path = scratch_path(name);

	if (utimensat(AT_FDCWD, path, times, 0) != 0)
		bail_out(path);
	free(path);
}

/* Another file, as long as the batch's. */
static void ship_ids(struct timespec time)
{
	char *from = scratch_path(BATCH "/.ids"), *to = scratch_path(BATCH "/ids");

	scratch_file(BATCH "/.ids", "4\n5\n6\n", sizeof SAMPLE_IDS - 1);
	set_time(BATCH "/.ids", time);
	if (rename(from, to) != 0)
		bail_out(to);
	free(from);
	free(to);
}

/* Stands in for libc's. */
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	bool removes = strcmp(to, DONE) == 0;
	int result;

	if (removes && shipped != NOTHING)
		ship_ids((struct timespec){.tv_sec = 1});
	result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
	if (removes && shipped == A_DIRECTORY) {
		scratch_directory(BATCH, 0700);
		scratch_file(BATCH "/data.gz", "", 0);
	}
	return result;
}

/* Opens it, then what is shipped comes in its place, then it is removed. */
static void remove_shipped_to(const void *time)
{
	struct spool_dir table;
	enum die_status status;
	struct batch b;

	spool_open(&table, scratch());
	sample_open(&b);
	if (time != NULL)
		ship_ids(*(const struct timespec *)time);
	status = batch_remove(&table, &b);
	batch_close(&b);
	spool_close(&table);
	exit((int)status);
}

static void is_shipped(const char *name, const char *test)
{
	size_t len;
	char *ids = scratch_kind(name) == 'f' ? scratch_read(name, &len) : NULL;

	is_string(ids, "4\n5\n6\n", "%s", test);
	free(ids);
}

static void test_replaced(void)
{
	static const char replaced[] =
		BATCH "\" was replaced by another while it was applied\nhint: run it again";
	const struct timespec then = {.tv_sec = 1}, same = {.tv_sec = 2, .tv_nsec = 3};

	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
	ends(remove_shipped_to, &then, DIE_NOT_NOW, replaced,
		"a file came in the place of one");
	is_shipped(BATCH "/ids", "it is there");
	scratch_remove(BATCH);

	/* Some file systems give each look another inode. */
	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
	set_time(BATCH "/ids", same);
	ends(remove_shipped_to, &same, 0, "", "one of its length and time is the same");
	ok(scratch_kind(BATCH) == '-', "it is gone");
	ok(scratch_kind(DONE) == '-', "nothing is left");

	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
	shipped = A_FILE;
	ends(remove_shipped_to, NULL, DIE_NOT_NOW, replaced, "a file came as it was renamed");
	is_shipped(BATCH "/ids", "it is there, too");
	ok(scratch_kind(DONE) == '-', "nothing is called applied");
	scratch_remove(BATCH);

	shipped = A_DIRECTORY;
	for (int n = 1; n <= 2; n++) {
		char kept[] = KEPT ".1/ids";

		kept[sizeof KEPT] = (char)('0' + n);
		sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
		ends(remove_shipped_to, NULL, DIE_NOT_NOW,
			BATCH "\" was replaced by another while it was applied, and that by a "
			      "third\nwhat came first is in \"\n" KEPT
			      "\nhint: when shipping is done",
			"a directory came in its place, besides");
		ok(scratch_kind(DONE) == '-', "nothing is called applied");
		ok(scratch_kind(BATCH "/data.gz") == 'f', "the directory stays");
		is_shipped(kept, "the file is kept");
		scratch_remove(BATCH);
	}
	shipped = NOTHING;
	scratch_remove(KEPT ".1");
	scratch_remove(KEPT ".2");
}

int main(void)
{
	scratch();
	test_replaced();
	return done_testing();
}
