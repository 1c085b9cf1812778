/* What stands in a table's directory: each name's kind, its number, and the order. */
#include "scratch.h"
#include "spool.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct expected {
	const char *name;
	enum spool_kind kind;
	uint64_t number;
} expected[] = {
	/* In the order in which they are listed; made in another. */
	{"0000000001", SPOOL_BATCH, 1},
	{"0000000042", SPOOL_BATCH, 42},
	{"9999999999", SPOOL_BATCH, 9999999999},
	{"10000000000", SPOOL_BATCH, 10000000000},
	{"9223372036854775807", SPOOL_BATCH, INT64_MAX},
	{".0000000041.tmp", SPOOL_STAGE, 41},
	{".0000000042.tmp", SPOOL_STAGE, 42},
	{".10000000000.tmp", SPOOL_STAGE, 10000000000},
	{".0000000007.done", SPOOL_DONE, 7},
	{".0000000042.done", SPOOL_DONE, 42},
	{"...", SPOOL_DOT, 0},
	{".0000000000.tmp", SPOOL_DOT, 0},
	{".0000000042", SPOOL_DOT, 0},
	{".0000000042.DONE", SPOOL_DOT, 0},
	{".0000000042.done.x", SPOOL_DOT, 0},
	{".0000000042.tmp~", SPOOL_DOT, 0},
	{".000000042.tmp", SPOOL_DOT, 0},
	{".42.tmp", SPOOL_DOT, 0},
	{".x", SPOOL_DOT, 0},
	{".~tmp~", SPOOL_DOT, 0},
	{" 0000000042", SPOOL_OTHER, 0},
	{"+0000000042", SPOOL_OTHER, 0},
	{"-0000000042", SPOOL_OTHER, 0},
	{"0000000000", SPOOL_OTHER, 0},
	{"0000000042 ", SPOOL_OTHER, 0},
	{"0000000042.done", SPOOL_OTHER, 0},
	{"0000000042.tmp", SPOOL_OTHER, 0},
	{"0000000042x", SPOOL_OTHER, 0},
	{"00000000042", SPOOL_OTHER, 0},
	{"000000042", SPOOL_OTHER, 0},
	{"00000000042.tmp", SPOOL_OTHER, 0},
	{"0x0000002a", SPOOL_OTHER, 0},
	{"18446744073709551615", SPOOL_OTHER, 0},
	{"18446744073709551658", SPOOL_OTHER, 0},
	{"42", SPOOL_OTHER, 0},
	{"9223372036854775808", SPOOL_OTHER, 0},
	{"users", SPOOL_OTHER, 0},
	{"\n", SPOOL_OTHER, 0},
	{"\xff", SPOOL_OTHER, 0},
};

enum { EXPECTED = sizeof expected / sizeof *expected };

static int by_kind_and_name(const void *left, const void *right)
{
	const struct expected *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void test_list(const struct spool_dir *dir)
{
	struct expected sorted[EXPECTED];
	struct spool_list list;

	memcpy(sorted, expected, sizeof sorted);
	qsort(sorted, EXPECTED, sizeof *sorted, by_kind_and_name);
	spool_list(dir, &list);
	is_number(list.count, EXPECTED, "everything is listed, but for . and ..");
	for (size_t i = 0; i < EXPECTED && i < list.count; i++) {
		is_string(list.entry[i].name, sorted[i].name, "name %zu, in order", i);
		is_number(list.entry[i].kind, sorted[i].kind, "its kind");
		if (sorted[i].number > 0)
			is_number(list.entry[i].number, sorted[i].number, "its number");
	}
	spool_list_free(&list);
	ok(list.entry == NULL && list.count == 0, "freed, the list is empty");
}

static void test_empty(const struct spool_dir *dir)
{
	struct spool_list list;

	spool_list(dir, &list);
	is_number(list.count, 0, "an empty directory has an empty list");
	spool_list_free(&list);
}

/* What anybody may put there doesn't fill the memory; batches are never left out. */
static void test_many(void)
{
	struct spool_dir dir;
	struct spool_list list;
	enum die_status status = DIE_DONE;
	char name[32];
	char *path = scratch_path("many");

	scratch_directory("many", 0700);
	spool_open(&dir, path);
	free(path);

	for (int i = 1; i <= SPOOL_STRANGERS_MAX + 5; i++) {
		snprintf(name, sizeof name, "many/x%d", i);
		scratch_file(name, "", 0);
		snprintf(name, sizeof name, "many/.x%d", i);
		scratch_file(name, "", 0);
		snprintf(name, sizeof name, "many/%010d", i);
		scratch_file(name, "", 0);
	}
	scratch_remove("many/x1");
	scratch_directory("many/x1", 0700);
	spool_list(&dir, &list);
	is_number(list.count, 3 * SPOOL_STRANGERS_MAX + 5, "of strangers not all are kept");
	is_number(list.more_others, 5, "those that are not are counted");
	is_number(list.more_dots, 5, "so are names with a dot");
	is_number(list.entry[SPOOL_STRANGERS_MAX + 4].number, SPOOL_STRANGERS_MAX + 5,
		"all batches are there");
	spool_list_free(&list);
	ok(spool_list_peek(&dir, &list, true, &status), "a directory of the tree is read");
	ok(list.count == 1 && strcmp(list.entry[0].name, "x1") == 0,
		"as a tree it has its directories");
	spool_list_free(&list);
	spool_close(&dir);
}

static void test_names(void)
{
	static const struct {
		enum spool_kind kind;
		uint64_t number;
		const char *name;
	} names[] = {
		{SPOOL_BATCH, 42, "0000000042"},
		{SPOOL_STAGE, 42, ".0000000042.tmp"},
		{SPOOL_DONE, 42, ".0000000042.done"},
		{SPOOL_BATCH, 12345678901, "12345678901"},
		{SPOOL_DONE, UINT64_MAX, ".18446744073709551615.done"},
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char name[SPOOL_NAME_MAX];

		spool_name(name, names[i].kind, names[i].number);
		is_string(name, names[i].name, "the name of number %llu",
			(unsigned long long)names[i].number);
	}
}

int main(void)
{
	struct spool_dir dir;

	spool_open(&dir, scratch());
	test_names();
	test_empty(&dir);
	for (size_t i = 0; i < EXPECTED; i++)
		scratch_file(expected[(i * 7) % EXPECTED].name, "", 0);
	test_list(&dir);
	test_list(&dir); /* again: reading it once did not use it up */
	spool_close(&dir);
	test_many();
	return done_testing();
}
