/*
 * Jobs that fail each for itself: N processes take them from one counter.  One that dies leaves
 * its job to the next run; the others, and a process in its place, go on.  That is why nothing
 * in this program has to survive an error.
 *
 * A process that ends before it asked for a job has met what the next one would meet as well, a
 * server that is down, say: none takes its place.  The second is started when the first has
 * asked.
 */
#ifndef DML_WORKERS_H
#define DML_WORKERS_H

#include "die.h"

#include <stdbool.h>
#include <stddef.h>

enum { WORKERS_MAX = 64 };

struct workers;

/* The next job of this process, or `count` when there are no more. */
size_t workers_next(struct workers *w);

/* False for one that was started because another got as far as asking for a job. */
bool workers_is_first(const struct workers *w);

/* Asks for this process's job to be taken once more after the others.  False if this is that
 * time, or it is the only job. */
bool workers_postpone(struct workers *w);

/* Notes what a job came to, or a part of it: it counts though this process should die later. */
void workers_note(struct workers *w, enum die_status status);

/*
 * Runs `work` in up to `processes` children, each of which takes jobs until there are none and
 * returns the worst status of those that did not die and that it didn't note.  Returns the
 * worst of all.
 */
enum die_status workers_run(size_t count, int processes,
	enum die_status (*work)(struct workers *w, const void *context), const void *context);

#endif
