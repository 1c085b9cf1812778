#include "die_stub.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf target;
static bool expected;
static enum die_status seen;

jmp_buf *die_expect(void)
{
	expected = true;
	return &target;
}

void die_unexpected(void)
{
	expected = false;
}

enum die_status die_status_seen(void)
{
	return seen;
}

static _Noreturn void leave(enum die_status status, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static _Noreturn void leave(enum die_status status, const char *format, va_list args)
{
	char text[1024];

	/* Formatted even if nobody reads it: a sanitizer sees what it reads. */
	vsnprintf(text, sizeof text, format, args);
	if (!expected) {
		fprintf(stderr, "died: %s\n", text);
		abort();
	}
	seen = status;
	longjmp(target, 1);
}

_Noreturn void die(enum die_status status, const char *hint, const char *format, ...)
{
	va_list args;

	(void)hint;
	va_start(args, format);
	leave(status, format, args);
	va_end(args);
}

_Noreturn void die_errno(enum die_status status, const char *hint, const char *format, ...)
{
	va_list args;

	(void)hint;
	va_start(args, format);
	leave(status, format, args);
	va_end(args);
}

void complain(const char *hint, const char *format, ...)
{
	(void)hint;
	(void)format;
}

void warn(const char *format, ...)
{
	(void)format;
}

void note(const char *format, ...)
{
	(void)format;
}

void die_verbosity(enum die_level level)
{
	(void)level;
}

const char *die_program_name(void)
{
	return "fuzz";
}
