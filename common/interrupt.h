/*
 * Signals that end a program: SIGINT, SIGTERM, SIGHUP.  The handler runs what was registered,
 * newest first, then dies by the signal; if that hangs, after five seconds.  SIGPIPE
 * and SIGXFSZ are ignored: a closed pipe and a file that may not grow are write errors. SIGCHLD
 * is reset to its default, whatever the parent set.
 */
#ifndef DML_INTERRUPT_H
#define DML_INTERRUPT_H

#include <signal.h>

/* Installs the handlers; one of the first things main() does. */
void interrupt_init(void);

/* `action` must be async-signal-safe. */
void interrupt_add(void (*action)(void));

/* Holds the signals back while a registry that an action reads is changed. */
void interrupt_block(sigset_t *before);
void interrupt_restore(const sigset_t *before);

#endif
