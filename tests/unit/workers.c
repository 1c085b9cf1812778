/* Jobs among processes: each is done once, whoever dies, and nobody outlives the parent. */
#include "workers.h"

#include "buf.h"
#include "interrupt.h"
#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS = 40, LAST = JOBS - 1 };

/* What happens at a job of this number; the others are done and told through a pipe. */
struct trouble {
	size_t at;
	unsigned status; /* the worker dies with it */
	int signal;      /* or by it */
	unsigned failed; /* or goes on, but has failed so */
	bool stranger;   /* the process has a child that is no worker */
	int processes;
	pid_t parent;
	int pipe[2];
	bool later; /* the job of that number is postponed */
};

static enum die_status work(struct workers *w, const void *context)
{
	const struct trouble *t = context;
	enum die_status worst = DIE_DONE;
	size_t job;

	while ((job = workers_next(w)) < JOBS) {
		unsigned char byte = (unsigned char)job;

		if (write(t->pipe[1], &byte, 1) != 1)
			exit(99);
		if (job != t->at || (t->later && workers_postpone(w) && workers_postpone(w)))
			continue;
		if (t->signal != 0)
			raise(t->signal);
		if (t->status != 0)
			exit((int)t->status);
		worst = (enum die_status)t->failed;
	}
	return worst;
}

static void run(const void *context)
{
	const struct trouble *t = context;

	interrupt_init();
	if (t->stranger && fork() == 0)
		_exit(DIE_PERSON);
	enum die_status status = workers_run(JOBS, t->processes, work, t);
	if (waitpid(-1, NULL, WNOHANG) >= 0 && !t->stranger)
		complain(NULL, "a worker is left");
	exit((int)status);
}

static void test_trouble(struct trouble *t, unsigned status, const char *says, const char *test)
{
	unsigned times[256] = {0}, wrong = 0;
	unsigned char bytes[256];
	ssize_t n;

	if (pipe(t->pipe) != 0)
		bail_out("pipe");
	ends(run, t, status, says, test);
	close(t->pipe[1]);
	while ((n = read(t->pipe[0], bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < n; i++)
			times[bytes[i]]++;
	close(t->pipe[0]);
	for (size_t i = 0; i < 256; i++)
		wrong += times[i] != (i >= JOBS ? 0 : t->later && i == t->at ? 2 : 1);
	is_number(wrong, 0, "%s: each job was taken once%s", test,
		t->later ? ", but for that one" : "");
}

static void test_troubles(void)
{
	test_trouble(&(struct trouble){.at = JOBS, .processes = 1}, 0, "", "one process");
	test_trouble(&(struct trouble){.at = JOBS, .processes = 3}, 0, "", "three");
	test_trouble(&(struct trouble){.at = JOBS, .processes = WORKERS_MAX}, 0, "",
		"more than there are jobs");
	test_trouble(&(struct trouble){.at = 5, .processes = 3, .failed = DIE_NOT_NOW},
		DIE_NOT_NOW, "", "a job that fails");
	test_trouble(&(struct trouble){.at = 5, .processes = 3, .status = DIE_PERSON},
		DIE_PERSON, "", "a worker that dies");
	test_trouble(&(struct trouble){.at = 5, .processes = 1, .status = DIE_PERSON},
		DIE_PERSON, "", "the only worker dies");
	test_trouble(&(struct trouble){.at = LAST, .processes = 1, .status = DIE_PERSON},
		DIE_PERSON, "", "it dies at the last job");
	test_trouble(&(struct trouble){.at = 5, .processes = 2, .signal = SIGKILL}, DIE_AGAIN,
		"error: a worker was killed by signal 9\nhint: run it again",
		"a worker that is killed");
	test_trouble(&(struct trouble){.at = JOBS, .processes = 2, .stranger = true}, 0, "",
		"a child that is no worker");
	test_trouble(&(struct trouble){.at = 5, .processes = 1, .later = true}, 0, "",
		"a job that is postponed");
	test_trouble(
		&(struct trouble){
			.at = LAST, .processes = 3, .later = true, .failed = DIE_AGAIN},
		DIE_AGAIN, "", "the last is postponed, and fails then");
	test_trouble(
		&(struct trouble){.at = 5, .processes = 2, .later = true, .status = DIE_AGAIN},
		DIE_AGAIN, "", "one is postponed, and its worker dies then");
}

/* Says so, as whoever finds a server down, before it asks for a job. */
static enum die_status fail_at_once(struct workers *w, const void *context)
{
	(void)context;
	(void)w;
	die(DIE_PERSON, NULL, "no way");
}

static void run_to_fail(const void *context)
{
	const struct trouble *t = context;

	interrupt_init();
	exit((int)workers_run(JOBS, t->processes, fail_at_once, t));
}

static void test_failures(void)
{
	ends(run_to_fail, &(struct trouble){.processes = 1}, DIE_PERSON, "error: no way",
		"none has a way, one process: it is said once");
	ends(run_to_fail, &(struct trouble){.processes = 8}, DIE_PERSON, "error: no way",
		"none has a way, eight processes: it is said once");
}

static enum die_status never(struct workers *w, const void *context)
{
	(void)w;
	(void)context;
	exit(99);
}

static void run_nothing(const void *context)
{
	(void)context;
	exit((int)workers_run(0, 4, never, NULL));
}

/* Whoever takes the last job waits for the others, then sends the signal to the parent. */
static enum die_status wait_for_ever(struct workers *w, const void *context)
{
	const struct trouble *t = context;
	char byte = 'x';

	alarm(120); /* should nobody end it */
	if (t->signal != SIGKILL)
		prctl(PR_SET_PDEATHSIG, 0); /* the parent ends it, not its death */
	if (workers_next(w) == 2) {
		for (int i = 0; i < 2; i++)
			if (read(t->pipe[0], &byte, 1) != 1)
				exit(99);
		kill(t->parent, t->signal);
	} else if (write(t->pipe[1], &byte, 1) != 1) {
		exit(98);
	}
	for (;;)
		pause();
}

static void run_for_ever(const void *context)
{
	struct trouble t = *(const struct trouble *)context;

	t.parent = getpid();
	interrupt_init();
	exit((int)workers_run(3, 3, wait_for_ever, &t));
}

/*
 * The pipe ends when the last process that could write to it is gone.  A parent that is
 * terminated waits for that; after one that is killed it is a matter of time.
 */
static void test_end(int signal, const char *test)
{
	struct trouble t = {.signal = signal};
	char byte;

	if (pipe(t.pipe) != 0)
		bail_out("pipe");
	ends(run_for_ever, &t, 128 + (unsigned)signal, "", test);
	close(t.pipe[1]);
	if (signal == SIGTERM && fcntl(t.pipe[0], F_SETFL, O_NONBLOCK) != 0)
		bail_out("fcntl");
	ok(read(t.pipe[0], &byte, 1) == 0, "%s: no worker is left", test);
	close(t.pipe[0]);
}

int main(void)
{
	test_troubles();
	test_failures();
	ends(run_nothing, NULL, 0, "", "without jobs nothing is started");
	test_end(SIGTERM, "the parent is terminated");
	test_end(SIGKILL, "the parent is killed");
	return done_testing();
}
