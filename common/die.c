#include "die.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_MAX = 8192, LINES_MAX = 4 * MESSAGE_MAX };

static const char *program = "dml";
static enum die_level verbosity = DIE_NORMAL;
static bool written_over;

void die_program(const char *name)
{
	program = name;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			exit(DIE_AGAIN);
}

const char *die_program_name(void)
{
	return program;
}

void die_write_over(bool stands)
{
	written_over = stands;
}

void die_verbosity(enum die_level level)
{
	verbosity = level;
}

enum die_level die_level(void)
{
	return verbosity;
}

enum die_status die_worst(enum die_status a, enum die_status b)
{
	return a > b ? a : b;
}

/*
 * The length of the printable UTF-8 character at `s`, or 0: a control (C1 among them), a
 * byte out of place, an overlong form, a surrogate, or beyond U+10FFFF.
 */
static size_t printable(const unsigned char *s)
{
	static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = s[0] < 0x80   ? 1
			: s[0] < 0xc0 ? 0
			: s[0] < 0xe0 ? 2
			: s[0] < 0xf0 ? 3
			: s[0] < 0xf8 ? 4
				      : 0;
	unsigned long point = length == 1 ? s[0] : s[0] & (0x7fUL >> length);

	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (s[i] & 0x3fUL);
	}
	if (length == 0 || point < least[length] || point > 0x10ffff)
		return 0;
	if (point < 0x20 || (point >= 0x7f && point < 0xa0))
		return 0;
	if (point >= 0xd800 && point < 0xe000)
		return 0;
	return length;
}

size_t die_escape(char *out, size_t size, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0;

	while (*s != '\0') {
		size_t length = printable(s);
		size_t need = length > 0 ? length : 4;

		if (used + need >= size)
			break;
		if (length > 0)
			memcpy(out + used, s, length);
		else
			snprintf(out + used, size - used, "\\x%02x", *s);
		used += need;
		s += length > 0 ? length : 1;
	}
	out[used] = '\0';
	return used;
}

/* Appends "PROGRAM: KIND: TEXT\n" to `lines`, which holds LINES_MAX bytes. */
static size_t add_line(char *lines, size_t used, const char *kind, const char *text)
{
	int prefix = snprintf(lines + used, LINES_MAX - used, "%s: %s: ", program, kind);

	if (prefix < 0 || (size_t)prefix >= LINES_MAX - used)
		return used;
	used += (size_t)prefix;
	used += die_escape(lines + used, LINES_MAX - used - 1, text);
	lines[used++] = '\n';
	return used;
}

static bool is_printable(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t length;

	while (*s != '\0' && (length = printable(s)) > 0)
		s += length;
	return *s == '\0';
}

/* People paste hints, and an escape is no part of a name. */
static const char *hint_kind(const char *hint)
{
	return is_printable(hint) ? "hint"
				  : "hint: where \\xNN stands, write the name as psql shows it";
}

static void say(const char *kind, const char *hint, const char *text)
{
	char lines[LINES_MAX];
	size_t used = 0;

	if (written_over)
		used = (size_t)snprintf(lines, sizeof lines, "\r\033[K");
	used = add_line(lines, used, kind, text);
	if (hint != NULL)
		used = add_line(lines, used, hint_kind(hint), hint);
	for (size_t done = 0; done < used;) {
		ssize_t n = write(STDERR_FILENO, lines + done, used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody is left to tell */
		done += (size_t)n;
	}
}

__attribute__((format(printf, 3, 0))) static void say_formatted(
	const char *kind, const char *hint, const char *format, va_list args)
{
	char text[MESSAGE_MAX];

	vsnprintf(text, sizeof text, format, args);
	say(kind, hint, text);
}

void die(enum die_status status, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_formatted("error", hint, format, args);
	va_end(args);
	exit((int)status);
}

void die_errno(enum die_status status, const char *hint, const char *format, ...)
{
	const char *reason = strerror(errno);
	char text[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	int used = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (used >= 0 && (size_t)used < sizeof text)
		snprintf(text + used, sizeof text - (size_t)used, ": %s", reason);
	say("error", hint, text);
	exit((int)status);
}

void complain(const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_formatted("error", hint, format, args);
	va_end(args);
}

void warn(const char *format, ...)
{
	va_list args;

	if (verbosity == DIE_QUIET)
		return;
	va_start(args, format);
	say_formatted("warning", NULL, format, args);
	va_end(args);
}

void note(const char *format, ...)
{
	va_list args;

	if (verbosity != DIE_VERBOSE)
		return;
	va_start(args, format);
	say_formatted("note", NULL, format, args);
	va_end(args);
}
