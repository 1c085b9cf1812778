/*
 * Messages and exit statuses: how either program speaks and how it ends.
 *
 * A message is "PROGRAM: error: …" and, where there is something to do, a second line
 * "PROGRAM: hint: …"; both leave in one write(2), so that processes side by side don't mix
 * theirs.  Whatever the arguments hold, what reaches the terminal is printable: see
 * die_escape().
 */
#ifndef DML_DIE_H
#define DML_DIE_H

#include <stdbool.h>
#include <stddef.h>

enum die_status {
	DIE_DONE = 0,    /* done, also when there was nothing to do */
	DIE_AGAIN = 1,   /* failed; the next ordinary run goes on from here */
	DIE_USAGE = 2,   /* the command line is wrong */
	DIE_NOT_NOW = 3, /* locked by another run, or a batch has not arrived */
	DIE_PERSON = 4,  /* no run can mend it: the hint says what does */
};

enum die_level { DIE_QUIET, DIE_NORMAL, DIE_VERBOSE };

/*
 * Sets the name that begins every message.  `name` must live as long as the program.  Sees to
 * it that descriptors 0 to 2 are open, or the next socket would be taken for standard output.
 */
void die_program(const char *name);
const char *die_program_name(void);

/* True while a line that is to be written over stands on the terminal: the next message does
 * that. */
void die_write_over(bool stands);

/* How much is said: errors always, warnings unless DIE_QUIET, notes only if DIE_VERBOSE. */
void die_verbosity(enum die_level level);
enum die_level die_level(void);

/* Says what went wrong and exits.  `hint` says what to do next; NULL where the message does. */
_Noreturn void die(enum die_status status, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a failed system call: strerror(errno) is added to the message. */
_Noreturn void die_errno(enum die_status status, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The error of something that doesn't end the program: one table of several. */
void complain(const char *hint, const char *format, ...) __attribute__((format(printf, 2, 3)));

void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The worse of two exit statuses, for a run over many tables. */
enum die_status die_worst(enum die_status a, enum die_status b);

/*
 * Writes `text` to `out` (of `size` bytes, NUL included) fit for a terminal: C0 and C1
 * controls, DEL and what is not UTF-8 become \xNN.  Too long a text is cut.  Returns the
 * number of bytes written, without the NUL.
 */
size_t die_escape(char *out, size_t size, const char *text);

#endif
