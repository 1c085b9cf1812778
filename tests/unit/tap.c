#include "tap.h"

#include "buf.h"
#include "scratch.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned tests, failures;

void bail_out(const char *what)
{
	printf("Bail out! ");
	fflush(stdout);
	perror(what);
	exit(255);
}

/* Nothing in a text may look like a line or a directive of the protocol. */
static void print_masked(const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c > '~' || c == '#' || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

/* Whatever hangs is given up, this process and its children each for itself. */
static void watch(void)
{
	const char *seconds = getenv("DML_TEST_TIMEOUT");

	alarm(seconds != NULL ? (unsigned)strtoul(seconds, NULL, 10) : 120);
}

static bool result(bool good, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static bool result(bool good, const char *format, va_list args)
{
	char test[1024];

	watch();
	tests++;
	failures += !good;
	vsnprintf(test, sizeof test, format, args);
	printf("%sok %u - ", good ? "" : "not ", tests);
	print_masked(test);
	putchar('\n');
	fflush(stdout);
	return good;
}

bool ok(bool good, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	result(good, format, args);
	va_end(args);
	return good;
}

static void diag_string(const char *what, const char *text)
{
	printf("# %s: ", what);
	if (text != NULL)
		print_masked(text);
	puts(text != NULL ? "" : "NULL");
}

bool is_string(const char *got, const char *expected, const char *format, ...)
{
	bool good =
		got == NULL || expected == NULL ? got == expected : strcmp(got, expected) == 0;
	va_list args;

	va_start(args, format);
	result(good, format, args);
	va_end(args);
	if (!good) {
		diag_string("     got", got);
		diag_string("expected", expected);
	}
	return good;
}

bool is_number(uint64_t got, uint64_t expected, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	result(got == expected, format, args);
	va_end(args);
	if (got != expected)
		printf("#      got: %" PRIu64 "\n# expected: %" PRIu64 "\n", got, expected);
	return got == expected;
}

void diag(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

int done_testing(void)
{
	printf("1..%u\n", tests);
	scratch_remove_all();
	return tests > 0 && failures == 0 ? 0 : 1;
}

char *read_all(int fd, size_t *len)
{
	struct buf b = {0};
	ssize_t n;

	while ((n = read(fd, buf_room(&b, 65536), 65536)) > 0)
		b.len += (size_t)n;
	if (n < 0)
		bail_out("read");
	b.data[b.len] = '\0';
	*len = b.len;
	return b.data;
}

struct ending run_child(void (*body)(const void *context), const void *context)
{
	FILE *said = tmpfile();
	struct ending end;
	size_t len;
	int status;

	if (said == NULL)
		bail_out("tmpfile");
	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		bail_out("fork");
	if (child == 0) {
		watch();
		signal(SIGHUP, SIG_DFL); /* nohup ignores it, a shell's & the other */
		signal(SIGINT, SIG_DFL);
		if (dup2(fileno(said), STDERR_FILENO) < 0)
			_exit(255);
		body(context);
		exit(0);
	}
	if (waitpid(child, &status, 0) != child)
		bail_out("waitpid");
	end.status =
		(unsigned)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	if (lseek(fileno(said), 0, SEEK_SET) != 0)
		bail_out("lseek");
	end.said = read_all(fileno(said), &len);
	fclose(said);
	return end;
}

static bool says_all(const char *said, const char *lines)
{
	if (*lines == '\0')
		return *said == '\0';
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		char *line = mem_format("%.*s", (int)len, lines);
		bool found = strstr(said, line) != NULL;

		free(line);
		if (!found)
			return false;
		lines += len + (lines[len] == '\n');
	}
	return true;
}

bool ends(void (*body)(const void *context), const void *context, unsigned status,
	const char *says, const char *test)
{
	struct ending end = run_child(body, context);
	bool good = ok(end.status == status && says_all(end.said, says), "%s", test);

	if (!good) {
		diag("  status: %u, expected %u", end.status, status);
		diag_string("    said", end.said);
		diag_string("expected", says);
	}
	free(end.said);
	return good;
}
