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

static void read_columns(const void *context)
{
	struct columns columns = {0};
	struct batch b;

	(void)context;
	sample_open(&b);
	batch_columns(&b, &columns);
	for (size_t i = 0; i < columns.count; i++)
		complain(NULL, "%s is %s", columns.column[i].name, columns.column[i].type);
	columns_free(&columns);
	batch_close(&b);
}

static void test_columns(void)
{
	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
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

	sample_batch("id bigint\n", 10);
	ends(read_columns, NULL, DIE_PERSON, BATCH "/columns\" is not a list of columns",
		"so is what is no list of columns, though it was announced");
	scratch_remove(BATCH);

	struct buf huge = {0};
	buf_string(&huge, "id\t");
	while (huge.len <= 2UL * COLUMNS_BYTES_MAX)
		buf_string(&huge, "a type without end");
	buf_byte(&huge, '\n');
	sample_batch(huge.data, huge.len);
	ends(read_columns, NULL, DIE_PERSON, BATCH "/columns\"", "and what is far too long");
	scratch_remove(BATCH);
	buf_free(&huge);
}

static void expect_ids(const void *sum)
{
	struct batch b;

	sample_open(&b);
	batch_expect(&b, FILE_IDS, sum);
	batch_close(&b);
}

static void test_expect(void)
{
	static const char message[] = BATCH "/ids\" is not what its manifest announces";
	struct io_sum sum = {.size = sizeof SAMPLE_IDS - 1};

	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
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

	sample_open(&b);
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
		sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
		ends(open_file_after, changes[i].change, changes[i].status, changes[i].says,
			changes[i].test);
		scratch_remove(BATCH);
	}
}

static void warn_of_strangers(const void *context)
{
	struct batch b;

	(void)context;
	sample_open(&b);
	batch_warn_of_strangers(&b);
	batch_close(&b);
}

static void test_strangers(void)
{
	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
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
	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
	scratch_file(BATCH "/.data.gz.Xa12bc", "rsync's", 7);
	scratch_directory(BATCH "/.~tmp~", 0700); /* that of --delay-updates */
	scratch_file(BATCH "/.~tmp~/manifest", "rsync's", 7);
	ends(remove_batch, NULL, 0, "", "a batch is removed, with what rsync left");
	both_gone("removed");

	/* A run died after the rename, then rsync brought the batch back. */
	scratch_directory(DONE, 0700);
	scratch_file(DONE "/ids", "", 0);
	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
	ends(remove_batch, NULL, 0, "", "another is removed, and what was left of the first");
	both_gone("removed twice");

	ends(remove_rest, NULL, 0, "", "where nothing was left there is nothing to do");
	scratch_directory(DONE, 0700);
	scratch_file(DONE "/manifest", "", 0);
	ends(remove_rest, NULL, 0, "", "what was left is removed");
	both_gone("the rest");
}

static void test_remove_strangers(void)
{
	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
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
	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
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

	sample_batch(SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
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
	test_many_strangers();
	test_remove_strangers();
	return done_testing();
}
