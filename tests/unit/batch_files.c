/* A batch's files: read and checked against the manifest, strangers, and removal. */
#include "batch.h"

#include "die.h"
#include "gz.h"
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

/* Makes the sample batch, but with these columns. */
static void make_batch(const char *columns, size_t len)
{
	struct manifest m;
	struct buf text = {0};

	scratch_directory(BATCH, 0700);
	sample_manifest(&m);
	m.file[FILE_COLUMNS].size = len;
	hash_of(columns, len, m.file[FILE_COLUMNS].sha256);
	manifest_encode(&text, &m);
	scratch_file(BATCH "/manifest", text.data, text.len);
	scratch_file(BATCH "/columns", columns, len);
	scratch_file(BATCH "/ids", SAMPLE_IDS, sizeof SAMPLE_IDS - 1);
	scratch_file(BATCH "/data.gz", SAMPLE_DATA, sizeof SAMPLE_DATA - 1);
	manifest_free(&m);
	buf_free(&text);
}

static void make_sample(void)
{
	make_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
}

/* Opens batch 42, which must be good. */
static void open_sample(struct batch *b)
{
	struct spool_dir table;
	char *why = NULL;

	spool_open(&table, scratch());
	if (batch_open(b, &table, SPOOL_BATCH, 42, &why) != BATCH_GOOD)
		exit(99);
	spool_close(&table);
}

static void read_columns(const void *context)
{
	struct columns columns = {0};
	struct batch b;

	(void)context;
	open_sample(&b);
	batch_columns(&b, &columns);
	for (size_t i = 0; i < columns.count; i++)
		complain(NULL, "%s is %s", columns.column[i].name, columns.column[i].type);
	columns_free(&columns);
	batch_close(&b);
}

static void test_columns(void)
{
	make_sample();
	ends(read_columns, NULL, 0, "id is bigint\nname is text", "columns are read");
	scratch_file(BATCH "/columns", "ID\tbigint\nname\ttext\n", sizeof SAMPLE_COLUMNS - 1);
	ends(read_columns, NULL, DIE_PERSON,
		BATCH
		"/columns\" is not what its manifest announces\nhint: ship the batch again "
		"from its "
		"source, with rsync --checksum; if that has it no more, export all rows with "
		"dml-export --full",
		"altered columns are refused");
	scratch_remove(BATCH);

	make_batch("id bigint\n", 10);
	ends(read_columns, NULL, DIE_PERSON, BATCH "/columns\" is not a list of columns",
		"so is what is no list of columns, though it was announced");
	scratch_remove(BATCH);

	struct buf huge = {0};
	buf_string(&huge, "id\t");
	while (huge.len <= 2UL * COLUMNS_BYTES_MAX)
		buf_string(&huge, "a type without end");
	buf_byte(&huge, '\n');
	make_batch(huge.data, huge.len);
	ends(read_columns, NULL, DIE_PERSON, BATCH "/columns\"", "and what is far too long");
	scratch_remove(BATCH);
	buf_free(&huge);
}

static void expect_ids(const void *sum)
{
	struct batch b;

	open_sample(&b);
	batch_expect(&b, FILE_IDS, sum);
	batch_close(&b);
}

static void test_expect(void)
{
	static const char message[] = BATCH "/ids\" is not what its manifest announces";
	struct io_sum sum = {.size = sizeof SAMPLE_IDS - 1};

	make_sample();
	hash_of(SAMPLE_IDS, sum.size, sum.sha256);
	ends(expect_ids, &sum, 0, "", "what was announced was read");
	sum.size++;
	ends(expect_ids, &sum, DIE_PERSON, message, "a byte more dies");
	sum.size--;
	sum.sha256[63] = sum.sha256[63] == '0' ? '1' : '0';
	ends(expect_ids, &sum, DIE_PERSON, message, "another hash dies");
	scratch_remove(BATCH);
}

/* Opens, then puts something else in the file's place, then opens that. */
static void open_file_after(const void *change)
{
	struct batch b;

	open_sample(&b);
	scratch_remove(BATCH "/data.gz");
	switch (*(const char *)change) {
	case 'l':
		scratch_link(BATCH "/data.gz", "ids");
		break;
	case 'd':
		scratch_directory(BATCH "/data.gz", 0700);
		break;
	case 'f':
		scratch_file(BATCH "/data.gz", "x", 1);
		break;
	default:
		break;
	}
	close(batch_file(&b, FILE_DATA));
	batch_close(&b);
}

static void test_file(void)
{
	static const struct {
		const char *change, *says, *test;
		unsigned status;
	} changes[] = {
		{"f", "", "another file: its hash will tell", 0},
		{"-", BATCH "/data.gz\" went away", "no file any more", DIE_AGAIN},
		{"l", BATCH "/data.gz\" went away", "a link instead", DIE_AGAIN},
		{"d", BATCH "/data.gz\" went away", "a directory instead", DIE_AGAIN},
	};

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		make_sample();
		ends(open_file_after, changes[i].change, changes[i].status, changes[i].says,
			changes[i].test);
		scratch_remove(BATCH);
	}
}

static void warn_of_strangers(const void *context)
{
	struct batch b;

	(void)context;
	open_sample(&b);
	batch_warn_of_strangers(&b);
	batch_close(&b);
}

static void test_strangers(void)
{
	make_sample();
	ends(warn_of_strangers, NULL, 0, "", "no strangers, no word");
	scratch_file(BATCH "/.data.gz.Xa12bc", "", 0);
	scratch_directory(BATCH "/sub\n", 0700);
	ends(warn_of_strangers, NULL, 0,
		"warning: ignoring \"\n" BATCH
		"/.data.gz.Xa12bc\", which is no part of a batch\n" BATCH "/sub\\x0a\"",
		"strangers are told, and change nothing");
	scratch_remove(BATCH);
}

static void remove_batch(const void *context)
{
	const struct batch b = {.number = 42};
	struct spool_dir table;

	(void)context;
	spool_open(&table, scratch());
	batch_remove(&table, &b);
	spool_close(&table);
}

static void remove_rest(const void *context)
{
	struct spool_dir table;

	(void)context;
	spool_open(&table, scratch());
	batch_remove_rest(&table, 42);
	spool_close(&table);
}

static void both_gone(const char *test)
{
	ok(scratch_kind(BATCH) == '-', "%s: the batch is gone", test);
	ok(scratch_kind(DONE) == '-', "%s: nothing is left", test);
}

static void test_remove(void)
{
	make_sample();
	scratch_file(BATCH "/.data.gz.Xa12bc", "rsync's", 7);
	scratch_directory(BATCH "/.~tmp~", 0700); /* that of --delay-updates */
	scratch_file(BATCH "/.~tmp~/manifest", "rsync's", 7);
	ends(remove_batch, NULL, 0, "", "a batch is removed, with what rsync left");
	both_gone("removed");

	/* A run died after the rename, then rsync brought the batch back. */
	scratch_directory(DONE, 0700);
	scratch_file(DONE "/ids", "", 0);
	make_sample();
	ends(remove_batch, NULL, 0, "", "another is removed, and what was left of the first");
	both_gone("removed twice");

	ends(remove_rest, NULL, 0, "", "where nothing was left there is nothing to do");
	scratch_directory(DONE, 0700);
	scratch_file(DONE "/manifest", "", 0);
	ends(remove_rest, NULL, 0, "", "what was left is removed");
	both_gone("the rest");
}

/* Opens it, then what is shipped comes in its place, then it is removed. */
static void remove_shipped_to(const void *time)
{
	struct spool_dir table;
	enum die_status status;
	struct batch b;

	spool_open(&table, scratch());
	open_sample(&b);
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

static void test_remove_replaced(void)
{
	static const char replaced[] =
		BATCH "\" was replaced by another while it was applied\nhint: run it again";
	const struct timespec then = {.tv_sec = 1}, same = {.tv_sec = 2, .tv_nsec = 3};

	make_sample();
	ends(remove_shipped_to, &then, DIE_NOT_NOW, replaced,
		"a file came in the place of one");
	is_shipped(BATCH "/ids", "it is there");
	scratch_remove(BATCH);

	/* Some file systems give each look another inode. */
	make_sample();
	set_time(BATCH "/ids", same);
	ends(remove_shipped_to, &same, 0, "", "one of its length and time is the same");
	both_gone("the same");

	make_sample();
	shipped = A_FILE;
	ends(remove_shipped_to, NULL, DIE_NOT_NOW, replaced, "a file came as it was renamed");
	is_shipped(BATCH "/ids", "it is there, too");
	ok(scratch_kind(DONE) == '-', "nothing is called applied");
	scratch_remove(BATCH);

	shipped = A_DIRECTORY;
	for (int n = 1; n <= 2; n++) {
		char kept[] = KEPT ".1/ids";

		kept[sizeof KEPT] = (char)('0' + n);
		make_sample();
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

static void test_remove_strangers(void)
{
	make_sample();
	scratch_file(BATCH "/notes", "mine", 4);
	scratch_directory(BATCH "/.sub", 0700);
	scratch_directory(BATCH "/.sub/sub", 0700);
	ends(remove_batch, NULL, 0,
		"warning: cannot remove \"\n" DONE "/notes\": remove it by hand\n" DONE
		"/.sub\"",
		"a stranger's file stays, and is told");
	ok(scratch_kind(BATCH) == '-', "what is left is no batch");
	ok(scratch_kind(DONE "/notes") == 'f', "the stranger's is there");
	ok(scratch_kind(DONE "/manifest") == '-', "ours is not");
	make_sample();
	ends(remove_batch, NULL, 0, BATCH "\": \"" DONE "\" is in the way",
		"then the same batch again stays, and is told");
	ok(scratch_kind(BATCH "/manifest") == 'f', "it is whole");
	scratch_remove(DONE);

	scratch_file(DONE, "", 0);
	ends(remove_batch, NULL, 0, "is in the way", "so it is with a file in its way");
	scratch_remove(DONE);
	scratch_directory("elsewhere", 0700);
	scratch_file("elsewhere/ids", "", 0);
	scratch_link(DONE, "elsewhere");
	ends(remove_batch, NULL, 0, "is in the way", "or a link");
	ok(scratch_kind("elsewhere/ids") == 'f', "through which nothing is removed");
}

/* More than are kept in mind of names that are no batch's; ours are among those that aren't. */
static void test_many_strangers(void)
{
	char name[64];

	make_sample();
	scratch_directory(BATCH "/.~tmp~", 0700);
	for (int i = 0; i < SPOOL_STRANGERS_MAX + 10; i++) {
		snprintf(name, sizeof name, BATCH "/.%d", i);
		scratch_file(name, "", 0);
		snprintf(name, sizeof name, BATCH "/.~tmp~/%d", i);
		scratch_file(name, "", 0);
	}
	ends(warn_of_strangers, NULL, 0, "ignoring \"\nwarning: ignoring 11 more in \"\n" BATCH,
		"of many strangers some are counted");
	ends(remove_batch, NULL, 0, "", "the batch is removed all the same");
	ok(scratch_kind(BATCH) == '-', "it is no batch any more");
	ok(scratch_kind(DONE "/manifest") == '-', "of its files none is left");
	ends(remove_rest, NULL, 0, "", "the next run goes on");
	both_gone("many strangers");
}

int main(void)
{
	scratch();
	test_columns();
	test_expect();
	test_file();
	test_strangers();
	test_remove();
	test_remove_replaced();
	test_many_strangers();
	test_remove_strangers();
	return done_testing();
}
