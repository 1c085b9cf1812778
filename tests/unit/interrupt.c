/* Signals: what was registered is run, newest first, and the program dies by the signal. */
#include "interrupt.h"

#include "die.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	if (write(STDERR_FILENO, text, len) < 0)
		_exit(99);
}

static void first(void)
{
	say("first ");
}

static void second(void)
{
	say("second ");
}

static void raises_another(void)
{
	static bool raised;

	if (!raised) {
		raised = true;
		raise(SIGHUP); /* not before the handler is done */
	}
	say("third ");
}

static void hangs(void)
{
	say("hangs ");
	for (;;)
		pause();
}

static void begin(void)
{
	interrupt_init();
	interrupt_add(first);
	interrupt_add(second);
	interrupt_add(first);
}

static void killed_by(const void *signal)
{
	begin();
	raise(*(const int *)signal);
	say("still here");
}

static void killed_while_blocked(const void *signal)
{
	sigset_t before;

	begin();
	interrupt_block(&before);
	raise(*(const int *)signal);
	say("blocked ");
	interrupt_restore(&before);
	say("still here");
}

static void killed_twice(const void *signal)
{
	begin();
	interrupt_add(raises_another);
	raise(*(const int *)signal);
	say("still here");
}

static void killed_and_hanging(const void *signal)
{
	sigset_t all;

	begin();
	interrupt_add(hangs);
	sigfillset(&all);
	sigdelset(&all, *(const int *)signal);
	sigprocmask(SIG_BLOCK, &all, NULL);
	raise(*(const int *)signal);
	say("still here");
}

static void children_ignored(const void *context)
{
	(void)context;
	signal(SIGCHLD, SIG_IGN);
	begin();

	pid_t pid = fork();

	if (pid == 0)
		_exit(7);

	int status = 0;

	exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 98);
}

static void ignored(const void *ignored_signal)
{
	signal(*(const int *)ignored_signal, SIG_IGN);
	begin();
	raise(*(const int *)ignored_signal);
	say("still here");
}

static void writes_to_nobody(const void *context)
{
	int fds[2];

	(void)context;
	begin();
	if (pipe(fds) != 0 || close(fds[0]) != 0)
		exit(99);
	exit(write(fds[1], "x", 1) < 0 ? 0 : 98);
}

/* A file that may not grow beyond a byte. */
static void writes_too_much(const void *context)
{
	const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	const struct rlimit limit = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
	int fd = memfd_create("x", 0);

	(void)context;
	begin();
	if (fd < 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0 || write(fd, "x", 1) != 1)
		exit(99);

	bool refused = write(fd, "x", 1) < 0 && errno == EFBIG;

	(void)setrlimit(RLIMIT_FSIZE, &none); /* for what coverage writes */
	exit(refused ? 0 : 98);
}

static void says(void (*body)(const void *), int signal, const char *said, const char *test)
{
	struct ending end = run_child(body, &signal);

	is_string(end.said, said, "%s", test);
	is_number(end.status, 128 + (unsigned)signal, "it died by signal %d", signal);
	free(end.said);
}

int main(void)
{
	static const int hang_up = SIGHUP, terminated = SIGTERM;

	says(killed_by, SIGTERM, "second first ", "SIGTERM: newest first, each once");
	says(killed_by, SIGINT, "second first ", "SIGINT");
	says(killed_by, SIGHUP, "second first ", "SIGHUP");
	says(killed_by, SIGKILL, "", "SIGKILL asks nobody");
	says(killed_while_blocked, SIGTERM, "blocked second first ", "a signal waits its time");
	struct ending end = run_child(killed_twice, &terminated);
	is_string(end.said, "third second first third second first ",
		"another signal waits until the first is done");
	free(end.said);
	says(killed_and_hanging, SIGTERM, "hangs ",
		"what hangs is not waited for, whatever is blocked");
	ends(children_ignored, NULL, 7, "", "a child can be waited for");
	ends(ignored, &hang_up, 0, "still here", "what nohup ignores stays ignored");
	ends(writes_to_nobody, NULL, 0, "", "a closed pipe is a write error");
	ends(writes_too_much, NULL, 0, "", "and so is a file that may not grow");
	return done_testing();
}
