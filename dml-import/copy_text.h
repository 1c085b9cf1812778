/*
 * COPY text on its way to the server: is it what COPY TO writes?
 *
 * COPY FROM takes more than that; PostgreSQL 15, for one, ends the copy at a "\." at the end of
 * any line, not only on one of its own, and drops what follows without a word.  COPY TO puts a
 * backslash before b, f, n, r, t, v, N and another backslash, and nowhere else.  It writes no
 * NUL; a hole in a file is nothing else, and may be of more bytes than anybody has time for.
 */
#ifndef DML_COPY_TEXT_H
#define DML_COPY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Starts as {0}. */
struct copy_text {
	bool escaped; /* the last piece ended with a backslash that escapes what comes next */
};

/* One piece after the other; false once COPY TO would not have written it. */
bool copy_text_next(struct copy_text *t, const char *data, size_t len);
/* False if the text ended amid an escape. */
bool copy_text_ended(const struct copy_text *t);

#endif
