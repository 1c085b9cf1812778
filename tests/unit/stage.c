/*
 * How a batch comes into being.  Stages are made in children: who made one removes it at its
 * end, which is what stage_death.c is about; here they end by stage_keep_all().
 */
#include "stage.h"

#include "scratch.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGE ".0000000042.tmp"
#define BATCH "0000000042"

static const char *const files[] = {"columns", "ids", "data.gz", "manifest"};

enum { FILES = sizeof files / sizeof *files };

/* Makes such a directory by hand, with all files of a batch. */
static void make_files(const char *directory)
{
	scratch_directory(directory, 0700);
	for (size_t i = 0; i < FILES; i++) {
		char *name = mem_format("%s/%s", directory, files[i]);

		scratch_file(name, "x", 1);
		free(name);
	}
}

static void is_there(const char *name, char kind, const char *test)
{
	char got[] = {scratch_kind(name), '\0'}, expected[] = {kind, '\0'};

	is_string(got, expected, "%s", test);
}

static void create(const void *context)
{
	struct spool_dir dir;
	struct stage s;

	(void)context;
	umask(0777);
	spool_open(&dir, scratch());
	stage_create(&s, &dir, 42);
	if (strcmp(s.name, STAGE) != 0 || strcmp(s.path + strlen(dir.path) + 1, STAGE) != 0)
		exit(99);
	for (size_t i = 0; i < FILES; i++) {
		int fd = stage_file(&s, files[i]);

		if (write(fd, "x", 1) != 1 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
			exit(98);
		close(fd);
	}
	stage_sync(&s);
	stage_keep_all();
	stage_free(&s);
	if (s.path != NULL)
		exit(97);
	spool_close(&dir);
}

static void test_create(void)
{
	ends(create, NULL, 0, "", "a batch is staged");
	is_number(scratch_mode(STAGE), 0700, "its directory is ours alone, whatever the umask");
	for (size_t i = 0; i < FILES; i++) {
		char *name = mem_format("%s/%s", STAGE, files[i]);

		is_number(scratch_mode(name), 0600, "%s, too", files[i]);
		free(name);
	}
	scratch_remove(STAGE);
}

static void create_file(const void *name)
{
	struct spool_dir dir;
	struct stage s = {.dir = &dir, .name = STAGE};
	struct stat st;
	char *path = scratch_path(STAGE);

	if (stat(path, &st) != 0)
		exit(99);
	free(path);
	spool_open(&dir, scratch());
	s.path = mem_format("%s/%s", dir.path, s.name);
	s.device = st.st_dev;
	s.inode = st.st_ino;
	close(stage_file(&s, name));
	stage_free(&s);
}

/* What is there is never written to, nor is anything through a link. */
static void test_files(void)
{
	size_t len;

	make_files(STAGE);
	scratch_file("outside", "secret", 6);
	scratch_link(STAGE "/link", "../outside");
	scratch_link(STAGE "/dangling", "../new");
	ends(create_file, "ids", DIE_AGAIN, STAGE "/ids\": File exists",
		"a file that is there is not created");
	ends(create_file, "link", DIE_AGAIN, STAGE "/link\": File exists", "nor is a link's");
	ends(create_file, "dangling", DIE_AGAIN, "File exists", "nor that of one to nothing");
	is_there("new", '-', "nothing was made");
	char *content = scratch_read("outside", &len);
	is_string(content, "secret", "nothing was written");
	free(content);
	scratch_remove(STAGE);
}

static void create_only(const void *context)
{
	struct spool_dir dir;
	struct stage s;

	(void)context;
	spool_open(&dir, scratch());
	stage_create(&s, &dir, 42);
}

/* A stage of that number is another run's. */
static void test_name_taken(void)
{
	make_files(STAGE);
	ends(create_only, NULL, DIE_AGAIN, STAGE "\": File exists",
		"a stage that is there is not taken over");
	is_there(STAGE "/manifest", 'f', "and stays as it is");
	if (scratch_kind(STAGE) == 'd')
		scratch_remove(STAGE);
}

static void link_files(const void *name)
{
	struct spool_dir dir, other;
	struct stage from, to;

	spool_open(&dir, scratch());
	spool_enter(&dir, "other", &other);
	stage_create(&from, &dir, 42);
	stage_create(&to, &other, 42);
	close(stage_file(&from, "data.gz"));
	stage_share(&from, &to, name, &(struct io_sum){0});
	if (scratch_kind("other/" STAGE "/data.gz") != 'f')
		exit(99);
	stage_free(&from);
	stage_free(&to);
}

static void test_link(void)
{
	scratch_directory("other", 0700);
	ends(link_files, "data.gz", 0, "", "a file is shared by two stages");
	ends(link_files, "ids", DIE_AGAIN, "cannot link", "one that isn't there can't be");
	is_there(STAGE, '-', "both stages were removed: the one");
	is_there("other/" STAGE, '-', "and the other");
}

/* What happens between making a stage and using it, and what is done to it then. */
struct swap {
	char put;  /* in its place: a directory, a link, or nothing */
	char then; /* a file, a link to another stage, a link from it, or fsync */
	const char *test;
};

static const struct swap swaps[] = {
	{'l', 'f', "a link in a stage's place: no file is made behind it"},
	{'l', 'o', "nor linked out of it"},
	{'l', 'i', "nor linked into it"},
	{'l', 's', "nor is it made durable"},
	{'d', 'f', "another directory in its place: no file is made in it"},
	{'d', 'o', "nor linked out of it"},
	{'d', 'i', "nor linked into it"},
	{'d', 's', "nor is it made durable"},
	{'-', 'f', "nothing in its place: no file is made"},
	{'-', 's', "nor is it made durable"},
};

static void put(char kind)
{
	char *stage = scratch_path(STAGE), *moved = scratch_path("moved");

	if (rename(stage, moved) != 0)
		exit(99);
	free(stage);
	free(moved);
	if (kind == 'l')
		scratch_link(STAGE, "elsewhere");
	if (kind == 'd')
		scratch_directory(STAGE, 0700);
	if (kind == 'd')
		scratch_file(STAGE "/ids", "", 0);
	scratch_file("elsewhere/ids", "", 0);
}

static void swap_and_use(const void *context)
{
	const struct swap *swap = context;
	struct spool_dir dir, other;
	struct stage s, peer;

	spool_open(&dir, scratch());
	spool_enter(&dir, "other", &other);
	stage_create(&s, &dir, 42);
	stage_create(&peer, &other, 42);
	close(stage_file(&s, "ids"));
	close(stage_file(&peer, "data.gz"));
	put(swap->put);
	if (swap->then == 'f')
		stage_file(&s, "columns");
	if (swap->then == 'o')
		stage_share(&s, &peer, "ids", &(struct io_sum){0});
	if (swap->then == 'i')
		stage_share(&peer, &s, "data.gz", &(struct io_sum){0});
	if (swap->then == 's')
		stage_sync(&s);
}

static void test_swapped(void)
{
	scratch_directory("elsewhere", 0700);
	for (size_t i = 0; i < sizeof swaps / sizeof *swaps; i++) {
		ends(swap_and_use, &swaps[i], DIE_PERSON,
			"took the place of\n" STAGE "\"\nhint: look who", swaps[i].test);
		is_there("elsewhere/columns", '-', "none");
		is_there("elsewhere/data.gz", '-', "of them");
		scratch_remove("moved");
		if (scratch_kind(STAGE) != '-')
			scratch_remove(STAGE);
	}
}

static void publish(const void *context)
{
	struct spool_dir dir;

	(void)context;
	spool_open(&dir, scratch());
	exit(stage_publish(&dir, 42) ? 0 : 100);
}

static void test_publish(void)
{
	ends(publish, NULL, DIE_AGAIN, "No such file", "what isn't staged can't be published");
	make_files(STAGE);
	ends(publish, NULL, 0, "", "a stage is published");
	is_there(STAGE, '-', "it is no stage any more");
	is_there(BATCH "/manifest", 'f', "but a batch");

	make_files(STAGE);
	ends(publish, NULL, 100, "", "another of that number isn't");
	is_there(STAGE "/manifest", 'f', "it remains a stage");
	is_there(BATCH "/manifest", 'f', "and the batch is as it was");
	scratch_remove(BATCH);
	scratch_directory(BATCH, 0700);
	ends(publish, NULL, 100, "", "not even an empty directory is replaced");
	is_there(BATCH "/manifest", '-', "it is empty still");
	scratch_remove(BATCH);
	scratch_link(BATCH, "nowhere");
	ends(publish, NULL, 100, "", "nor a link to nothing");
	scratch_remove(BATCH);
	scratch_remove(STAGE);
}

static void discard(const void *context)
{
	struct spool_dir dir;

	(void)context;
	spool_open(&dir, scratch());
	stage_discard(&dir, 42);
}

static void test_discard(void)
{
	ends(discard, NULL, 0, "", "what isn't there is discarded without a word");
	make_files(STAGE);
	make_files(BATCH);
	ends(discard, NULL, 0, "", "a stage is discarded");
	is_there(STAGE, '-', "it is gone");
	is_there(BATCH "/manifest", 'f', "the batch of that number isn't");
	scratch_directory(STAGE, 0700);
	scratch_file(STAGE "/ids", "", 0);
	ends(discard, NULL, 0, "", "one that was only begun");
	is_there(STAGE, '-', "it is gone, too");

	make_files(STAGE);
	scratch_file(STAGE "/notes", "", 0);
	ends(discard, NULL, 0, "warning: cannot remove\n" STAGE "\"\nDirectory not empty",
		"one that holds something else is told");
	is_there(STAGE "/notes", 'f', "what it holds stays");
	scratch_remove(STAGE);

	scratch_link(STAGE, BATCH);
	ends(discard, NULL, 0, "warning: cannot remove", "a link in a stage's place is told");
	is_there(BATCH "/manifest", 'f', "nothing is removed through it");
	scratch_remove(STAGE);
	scratch_remove(BATCH);
}

int main(void)
{
	scratch();
	test_create();
	test_files();
	test_name_taken();
	test_link();
	test_swapped();
	test_publish();
	test_discard();
	return done_testing();
}
