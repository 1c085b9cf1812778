#include "progress.h"

#include "die.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { ROWS_BETWEEN_LOOKS = 1024, MILLISECONDS = 250 };

static bool enabled, terminal, shown;
static long long last;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void progress_init(bool wanted, bool quiet)
{
	terminal = isatty(STDERR_FILENO) == 1;
	enabled = wanted || (terminal && !quiet);
	last = now();
}

void progress_show(const char *what, uint64_t rows, uint64_t bytes, uint64_t total)
{
	char name[128];

	if (!enabled || rows % ROWS_BETWEEN_LOOKS != 0 || now() - last < MILLISECONDS)
		return;
	last = now();
	die_escape(name, sizeof name, what);
	fprintf(stderr, "%s%s: %s: ", terminal ? "\r\033[K" : "", die_program_name(), name);
	if (rows > 0)
		fprintf(stderr, "%llu rows, ", (unsigned long long)rows);
	fprintf(stderr, "%llu ", (unsigned long long)(bytes / 1000000));
	if (total > 0)
		fprintf(stderr, "of %llu ", (unsigned long long)(total / 1000000));
	fprintf(stderr, "MB%s", terminal ? "" : "\n");
	shown = true;
	die_write_over(terminal);
}

void progress_clear(void)
{
	if (shown && terminal)
		fputs("\r\033[K", stderr);
	shown = false;
	die_write_over(false);
}
