#include "interrupt.h"

#include "die.h"

#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

enum { ACTIONS = 4, PATIENCE = 5 /* seconds, for all of them */ };

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
static void (*actions[ACTIONS])(void);
static volatile sig_atomic_t action_count;
static volatile sig_atomic_t ending;

static void all_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaddset(set, signals[i]);
}

/* SA_RESETHAND has put the default back, so that raised again the signal ends us; but not the
 * first process of a container, whom the kernel spares what he doesn't catch. */
static _Noreturn void end_by(int signal)
{
	sigset_t set;

	all_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signal);
	_exit(128 + signal);
}

static void lose_patience(int unused)
{
	(void)unused;
	end_by(ending);
}

/* An action may send a cancel request to a server that no longer answers. */
static void limit_actions(int signal)
{
	struct sigaction alarmed = {.sa_handler = lose_patience};
	sigset_t set;

	ending = signal;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaction(SIGALRM, &alarmed, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	alarm(PATIENCE);
}

static void on_signal(int signal)
{
	limit_actions(signal);
	for (int i = action_count; i-- > 0;)
		actions[i]();
	end_by(signal);
}

void interrupt_init(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction usual = {.sa_handler = SIG_DFL};
	struct sigaction catch = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	all_signals(&catch.sa_mask);
	if (sigaction(SIGPIPE, &ignore, NULL) != 0 || sigaction(SIGXFSZ, &ignore, NULL) != 0)
		die_errno(DIE_AGAIN, "run it again", "cannot ignore SIGPIPE and SIGXFSZ");
	/* Where our parent ignored SIGCHLD, waitpid() would fail. */
	if (sigaction(SIGCHLD, &usual, NULL) != 0)
		die_errno(DIE_AGAIN, "run it again", "cannot have SIGCHLD as usual");
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct sigaction before;

		/* What nohup(1) ignores stays ignored. */
		if (sigaction(signals[i], NULL, &before) != 0 ||
			(before.sa_handler != SIG_IGN &&
				sigaction(signals[i], &catch, NULL) != 0))
			die_errno(DIE_AGAIN, "run it again", "cannot catch signal %d",
				signals[i]);
	}
}

static bool is_registered(void (*action)(void))
{
	for (int i = 0; i < action_count; i++)
		if (actions[i] == action)
			return true;
	return false;
}

void interrupt_add(void (*action)(void))
{
	sigset_t before;

	interrupt_block(&before);
	if (!is_registered(action)) {
		if (action_count == ACTIONS)
			die(DIE_AGAIN, "report it: this is a bug",
				"more than %d actions for a signal", ACTIONS);
		actions[action_count++] = action;
	}
	interrupt_restore(&before);
}

void interrupt_block(sigset_t *before)
{
	sigset_t set;

	all_signals(&set);
	sigprocmask(SIG_BLOCK, &set, before);
}

void interrupt_restore(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}
