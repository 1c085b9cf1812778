#include "interrupt.h"

#include "die.h"

#include <stddef.h>

enum { ACTIONS = 4 };

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
static void (*actions[ACTIONS])(void);
static volatile sig_atomic_t action_count;

static void all_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaddset(set, signals[i]);
}

/* SA_RESETHAND has put the default back; raised again, the signal ends us on return. */
static void on_signal(int signal)
{
	for (int i = action_count; i-- > 0;)
		actions[i]();
	raise(signal);
}

void interrupt_init(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction catch = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	all_signals(&catch.sa_mask);
	if (sigaction(SIGPIPE, &ignore, NULL) != 0 || sigaction(SIGXFSZ, &ignore, NULL) != 0)
		die_errno(DIE_AGAIN, "run it again", "cannot ignore SIGPIPE and SIGXFSZ");
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

void interrupt_add(void (*action)(void))
{
	sigset_t before;

	interrupt_block(&before);
	for (int i = 0; i < action_count; i++)
		if (actions[i] == action)
			goto restore;
	if (action_count < ACTIONS)
		actions[action_count++] = action;
restore:
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
