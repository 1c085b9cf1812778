/*
 * What is left of a stage when the program dies: nothing, unless it was killed, or had
 * decided that from here on the database knows whether the batch counts.
 */
#include "die.h"
#include "interrupt.h"
#include "scratch.h"
#include "stage.h"
#include "tap.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define STAGE ".0000000042.tmp"

static void stage_all(struct stage *s, const struct spool_dir *dir, uint64_t number)
{
	static const char *const files[] = {"columns", "ids", "data.gz", "manifest"};

	stage_create(s, dir, number);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		close(stage_file(s, files[i]));
	stage_sync(s);
}

/* How a program ends that has staged something. */
struct death {
	const char *test;
	int signal;   /* 0: it dies by itself */
	bool keep;    /* after stage_keep_all() */
	bool ignored; /* the signal is, since before the program began */
	unsigned status;
	char left; /* of the stage: a directory or nothing */
};

static const struct death deaths[] = {
	{"dying", 0, false, false, DIE_AGAIN, '-'},
	{"SIGTERM", SIGTERM, false, false, 128 + SIGTERM, '-'},
	{"SIGINT", SIGINT, false, false, 128 + SIGINT, '-'},
	{"SIGHUP", SIGHUP, false, false, 128 + SIGHUP, '-'},
	{"SIGHUP, which nohup ignores, and dying", SIGHUP, false, true, DIE_AGAIN, '-'},
	{"SIGKILL", SIGKILL, false, false, 128 + SIGKILL, 'd'},
	{"dying, kept", 0, true, false, DIE_AGAIN, 'd'},
	{"SIGTERM, kept", SIGTERM, true, false, 128 + SIGTERM, 'd'},
};

static void stage_and_die(const void *context)
{
	const struct death *death = context;
	struct spool_dir dir;
	struct stage s;

	if (death->ignored)
		signal(death->signal, SIG_IGN);
	interrupt_init();
	spool_open(&dir, scratch());
	stage_all(&s, &dir, 42);
	if (death->keep)
		stage_keep_all();
	if (scratch_kind(STAGE "/manifest") != 'f')
		exit(99);
	if (death->signal != 0)
		raise(death->signal);
	die(DIE_AGAIN, NULL, "dying");
}

static void test_deaths(void)
{
	for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
		const struct death *death = &deaths[i];

		ends(stage_and_die, death, death->status,
			death->status == DIE_AGAIN ? "error: dying" : "", death->test);
		is_number((uint64_t)scratch_kind(STAGE), (uint64_t)death->left,
			"%s: the stage %s", death->test,
			death->left == '-' ? "is gone" : "is there");
		if (scratch_kind(STAGE) == 'd')
			scratch_remove(STAGE);
	}
}

static void stage_half_and_die(const void *context)
{
	struct spool_dir dir;
	struct stage s;

	(void)context;
	interrupt_init();
	spool_open(&dir, scratch());
	stage_create(&s, &dir, 42);
	stage_file(&s, "ids");
	raise(SIGTERM);
}

/* Of three the first is discarded, the second published, the third given up. */
static void stage_several(const void *context)
{
	struct spool_dir dir, other;
	struct stage s[3];

	(void)context;
	interrupt_init();
	spool_open(&dir, scratch());
	if (!spool_enter(&dir, "other", &other))
		exit(99);
	stage_all(&s[0], &dir, 100);
	stage_all(&s[1], &other, 101);
	stage_all(&s[2], &other, 102);
	stage_discard(&dir, 100);
	if (!stage_publish(&other, 101))
		exit(98);
	raise(SIGINT);
}

static void test_several(void)
{
	scratch_directory("other", 0700);
	ends(stage_several, NULL, 128 + SIGINT, "", "three are staged, then SIGINT");
	ok(scratch_kind(".0000000100.tmp") == '-', "the one that was discarded is gone");
	ok(scratch_kind("other/0000000101/manifest") == 'f', "the one published is whole");
	ok(scratch_kind("other/.0000000102.tmp") == '-', "the last is gone");
}

static void die_by(const void *signal)
{
	if (*(const int *)signal != 0)
		raise(*(const int *)signal);
	die(DIE_AGAIN, NULL, "dying");
}

/* What a fork does is not the end of the one that staged. */
static void stage_and_fork(const void *signal)
{
	struct spool_dir dir;
	struct stage s;

	interrupt_init();
	spool_open(&dir, scratch());
	stage_all(&s, &dir, 42);
	free(run_child(die_by, signal).said);
	exit(scratch_kind(STAGE "/manifest") == 'f' ? 0 : 100);
}

static void test_fork(void)
{
	static const int none, terminated = SIGTERM;

	ends(stage_and_fork, &none, 0, "", "a fork that dies removes nothing of ours");
	ends(stage_and_fork, &terminated, 0, "", "nor does one that is terminated");
	ok(scratch_kind(STAGE) == '-', "ours is removed at our own end");
}

int main(void)
{
	scratch();
	test_deaths();
	ends(stage_half_and_die, NULL, 128 + SIGTERM, "", "a stage that was only begun");
	ok(scratch_kind(STAGE) == '-', "is gone, too");
	test_several();
	test_fork();
	return done_testing();
}
