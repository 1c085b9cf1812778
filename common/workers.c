#include "workers.h"

#include "buf.h"
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char try_again[] = "run it again when the machine has resources to spare";

/* In memory that all processes share. */
struct shared {
	atomic_size_t next;
	atomic_bool asked[WORKERS_MAX]; /* has this one, in its slot, asked for a job? */
	atomic_int worst;               /* status of what was noted */
	atomic_size_t postponed;        /* how many jobs are, */
	size_t job[];                   /* and which */
};

/* Of each process. */
struct workers {
	struct shared *shared;
	size_t jobs;  /* in all */
	size_t count; /* in this round: all, then those that were postponed */
	bool again;   /* the second round */
	size_t job;
	bool postponed; /* it is */
	enum die_status (*work)(struct workers *w, const void *context);
	const void *context;
	int slot;
	int first; /* the first one's end of the pipe that it closes when it asks; else -1 */
};

/* What the signal handler has to stop. */
static pid_t parent;
static volatile pid_t child[WORKERS_MAX];

static void stop_children(void)
{
	if (getpid() != parent)
		return;
	for (int i = 0; i < WORKERS_MAX; i++)
		if (child[i] > 0)
			kill(child[i], SIGTERM);
	for (int i = 0; i < WORKERS_MAX; i++)
		if (child[i] > 0)
			waitpid(child[i], NULL, 0);
}

size_t workers_next(struct workers *w)
{
	size_t turn = atomic_fetch_add(&w->shared->next, 1);

	atomic_store(&w->shared->asked[w->slot], true);
	if (w->first >= 0)
		close(w->first);
	w->first = -1;
	if (turn >= w->count)
		return w->jobs;
	w->job = w->again ? w->shared->job[turn] : turn;
	w->postponed = false;
	return w->job;
}

bool workers_postpone(struct workers *w)
{
	if (w->again || w->jobs == 1)
		return false;
	if (!w->postponed)
		w->shared->job[atomic_fetch_add(&w->shared->postponed, 1)] = w->job;
	w->postponed = true;
	return true;
}

void workers_note(struct workers *w, enum die_status status)
{
	int worst = atomic_load(&w->shared->worst);

	while (!atomic_compare_exchange_weak(
		&w->shared->worst, &worst, (int)die_worst((enum die_status)worst, status)))
		continue;
}

bool workers_is_first(const struct workers *w)
{
	return w->slot == 0;
}

/* A child whose parent was killed must not go on alone: cron would start a second one. */
static void follow_parent(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		die_errno(DIE_AGAIN, try_again, "cannot watch the parent process");
	if (getppid() != parent)
		exit(DIE_AGAIN);
}

static void start(struct workers *w, int slot)
{
	sigset_t before;
	pid_t pid;

	atomic_store(&w->shared->asked[slot], false);
	fflush(stdout);
	interrupt_block(&before);
	pid = fork();
	if (pid > 0)
		child[slot] = pid;
	interrupt_restore(&before);
	if (pid < 0)
		die_errno(DIE_AGAIN, "run it again when the machine has processes to spare",
			"cannot fork");
	if (pid == 0) {
		follow_parent();
		w->slot = slot;
		exit((int)w->work(w, w->context));
	}
}

/* Starts the first one and waits until it has asked for a job, or ended. */
static void start_first(struct workers *w)
{
	int pipe_of_first[2];
	char byte;

	if (pipe2(pipe_of_first, O_CLOEXEC) != 0)
		die_errno(DIE_AGAIN, try_again, "cannot make a pipe");
	w->first = pipe_of_first[1];
	start(w, 0);
	close(pipe_of_first[1]);
	w->first = -1;
	while (read(pipe_of_first[0], &byte, 1) < 0 && errno == EINTR)
		continue;
	close(pipe_of_first[0]);
}

/* Returns how many. */
static int start_all(struct workers *w, int processes)
{
	int running = 0;

	if (w->count > 0 && processes > 1) {
		start_first(w);
		running++;
		if (!atomic_load(&w->shared->asked[0]))
			return running;
	}
	for (; running < processes && (size_t)running < w->count; running++)
		start(w, running);
	return running;
}

static int slot_of(pid_t pid)
{
	for (int i = 0; i < WORKERS_MAX; i++)
		if (child[i] == pid)
			return i;
	return -1;
}

static enum die_status status_of(int wait_status)
{
	if (WIFEXITED(wait_status))
		return (enum die_status)WEXITSTATUS(wait_status);
	complain("run it again", "a worker was killed by signal %d", WTERMSIG(wait_status));
	return DIE_AGAIN;
}

/* Waits for `running` of them, and starts one for each that dies before the last job. */
static enum die_status wait_for_all(struct workers *w, int running)
{
	enum die_status worst = DIE_DONE;

	while (running > 0) {
		int wait_status;
		pid_t pid = waitpid(-1, &wait_status, 0);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			die_errno(DIE_AGAIN, try_again, "cannot wait for a worker");

		int slot = slot_of(pid);

		if (slot < 0)
			continue; /* a child that whoever started us had left behind */
		child[slot] = 0;
		running--;
		worst = die_worst(worst, status_of(wait_status));
		if (atomic_load(&w->shared->next) < w->count &&
			atomic_load(&w->shared->asked[slot])) {
			start(w, slot);
			running++;
		}
	}
	return worst;
}

enum die_status workers_run(size_t count, int processes,
	enum die_status (*work)(struct workers *w, const void *context), const void *context)
{
	size_t size = sizeof(struct shared) + count * sizeof(size_t);
	struct shared *shared =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct workers w = {.shared = shared,
		.jobs = count,
		.count = count,
		.work = work,
		.context = context,
		.first = -1};
	enum die_status worst;

	if (shared == MAP_FAILED)
		die_errno(DIE_AGAIN, try_again, "cannot share memory");
	parent = getpid();
	interrupt_add(stop_children);
	worst = wait_for_all(&w, start_all(&w, processes));
	w.again = true;
	w.count = atomic_load(&shared->postponed);
	atomic_store(&shared->next, 0);
	if (w.count > 0)
		worst = die_worst(worst, wait_for_all(&w, start_all(&w, processes)));
	worst = die_worst(worst, (enum die_status)atomic_load(&shared->worst));
	munmap(shared, size);
	return worst;
}
