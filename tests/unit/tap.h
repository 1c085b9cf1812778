/*
 * Test Anything Protocol, as prove(1) reads it, and a child process for code that is meant
 * to die.
 *
 * A test that fails says what it got; the exit status of the program tells it too.  One that
 * hangs is given up after DML_TEST_TIMEOUT seconds, or two minutes.
 */
#ifndef DML_TAP_H
#define DML_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each is one test; they return whether it passed.  The format says what was tested. */
bool ok(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* NULL is only equal to NULL. */
bool is_string(const char *got, const char *expected, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool is_number(uint64_t got, uint64_t expected, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A line that explains; after a test that failed, why. */
void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the program where the test itself is broken, or the machine: no result is better than
 * a wrong one. */
_Noreturn void bail_out(const char *what);

/* Prints the plan, removes what scratch.h made, returns main()'s status. */
int done_testing(void);

/* How a child ended. */
struct ending {
	unsigned status; /* as the shell has it: 128 + the signal that killed it */
	char *said;      /* what it wrote on standard error; the caller frees it */
};

/* Runs `body` in a child of its own, which exits with 0 if `body` returns. */
struct ending run_child(void (*body)(const void *context), const void *context);

/*
 * One test: `body` ends its process with `status`, and on standard error is every line of
 * `says`, be it as a part of a line.  An empty `says`: nothing at all was written.
 */
bool ends(void (*body)(const void *context), const void *context, unsigned status,
	const char *says, const char *test);

/* All that can still be read; a NUL follows it.  The caller frees it. */
char *read_all(int fd, size_t *len);

#endif
