#include "workers.h"

#include "buf.h"
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char try_again[] = "run it again when the machine has resources to spare";

struct workers {
	atomic_size_t next; /* in memory that all processes share */
	size_t count;
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
	size_t job = atomic_fetch_add(&w->next, 1);

	return job < w->count ? job : w->count;
}

/* A child whose parent was killed must not go on alone: cron would start a second one. */
static void follow_parent(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		die_errno(DIE_AGAIN, try_again, "cannot watch the parent process");
	if (getppid() != parent)
		exit(DIE_AGAIN);
}

static void start(int slot, struct workers *w,
	enum die_status (*work)(struct workers *w, const void *context), const void *context)
{
	sigset_t before;
	pid_t pid;

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
		exit((int)work(w, context));
	}
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

enum die_status workers_run(size_t count, int processes,
	enum die_status (*work)(struct workers *w, const void *context), const void *context)
{
	struct workers *w = mmap(
		NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	enum die_status worst = DIE_DONE;
	int running = 0;

	if (w == MAP_FAILED)
		die_errno(DIE_AGAIN, try_again, "cannot share memory");
	atomic_init(&w->next, 0);
	w->count = count;
	parent = getpid();
	interrupt_add(stop_children);
	for (int i = 0; i < processes && (size_t)i < count; i++, running++)
		start(i, w, work, context);
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
		if (atomic_load(&w->next) < count) {
			start(slot, w, work, context);
			running++;
		}
	}
	munmap(w, sizeof *w);
	return worst;
}
