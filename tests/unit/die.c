/* Messages: their form, how much is said, and the status that the program ends with. */
#include "die.h"

#include "buf.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die_plainly(const void *status)
{
	die(*(const enum die_status *)status, NULL, "cannot open \"%s\"", "x");
}

static void die_with_hint(const void *context)
{
	(void)context;
	die(DIE_PERSON, "mend it", "it broke");
}

static void die_of_errno(const void *context)
{
	(void)context;
	errno = ENOSPC;
	die_errno(DIE_AGAIN, "make space", "cannot write \"%s\"", "x");
}

static void die_of_outside_text(const void *context)
{
	(void)context;
	die(DIE_AGAIN, "hint \a", "one\ntwo\x1b[31m%s", "\xff\r");
}

static void test_die(void)
{
	static const enum die_status status[] = {DIE_AGAIN, DIE_USAGE, DIE_NOT_NOW, DIE_PERSON};

	for (size_t i = 0; i < sizeof status / sizeof *status; i++)
		ends(die_plainly, &status[i], status[i], "prog: error: cannot open \"x\"\n",
			"dies with its status");
	struct ending end = run_child(die_with_hint, NULL);
	is_string(end.said, "prog: error: it broke\nprog: hint: mend it\n",
		"a hint is a line of its own");
	free(end.said);
	end = run_child(die_of_errno, NULL);
	is_string(end.said,
		"prog: error: cannot write \"x\": No space left on device\n"
		"prog: hint: make space\n",
		"a system call's reason is added");
	is_number(end.status, DIE_AGAIN, "the status is kept");
	free(end.said);
	end = run_child(die_of_outside_text, NULL);
	is_string(end.said,
		"prog: error: one\\x0atwo\\x1b[31m\\xff\\x0d\nprog: hint: where \\xNN stands, "
		"write the name as psql shows it: hint \\x07\n",
		"nothing that controls a terminal gets through");
	free(end.said);
}

static void talk(const void *level)
{
	die_verbosity(*(const enum die_level *)level);
	warn("a %s", "warning");
	note("a %s", "note");
	complain("a hint", "a %s", "complaint");
}

static void test_verbosity(void)
{
	static const char *const said[] = {
		[DIE_QUIET] = "prog: error: a complaint\nprog: hint: a hint\n",
		[DIE_NORMAL] = "prog: warning: a warning\n"
			       "prog: error: a complaint\nprog: hint: a hint\n",
		[DIE_VERBOSE] = "prog: warning: a warning\nprog: note: a note\n"
				"prog: error: a complaint\nprog: hint: a hint\n"};

	is_number(die_level(), DIE_NORMAL, "warnings are said, notes aren't, unless asked");
	for (enum die_level level = DIE_QUIET; level <= DIE_VERBOSE; level++) {
		struct ending end = run_child(talk, &level);

		is_string(end.said, said[level], "what is said at level %d", (int)level);
		is_number(end.status, 0, "and the program goes on");
		free(end.said);
	}
}

/* Each write to a socket of packets arrives as one. */
static void die_into_socket(const void *fd)
{
	dup2(*(const int *)fd, STDERR_FILENO);
	die_with_hint(NULL);
}

static void test_one_write(void)
{
	static const char whole[] = "prog: error: it broke\nprog: hint: mend it\n";
	char packet[256] = "";
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) != 0) {
		diag("cannot make a socket");
		return;
	}
	struct ending end = run_child(die_into_socket, &fds[1]);
	ssize_t n = read(fds[0], packet, sizeof packet - 1);
	is_number(n > 0 ? (uint64_t)n : 0, sizeof whole - 1, "one write for the message");
	is_string(packet, whole, "with its hint");
	free(end.said);
	close(fds[0]);
	close(fds[1]);
}

/* Far longer than any buffer, of characters that grow fourfold: cut, and ended properly. */
static void die_of_long_text(const void *fill)
{
	char text[50000];

	memset(text, *(const char *)fill, sizeof text);
	text[sizeof text - 1] = '\0';
	die(DIE_AGAIN, text, "%s", text);
}

static void test_long(void)
{
	static const char fills[] = "x\x01";

	for (size_t i = 0; i < 2; i++) {
		struct ending end = run_child(die_of_long_text, &fills[i]);
		size_t len = strlen(end.said);

		is_number(end.status, DIE_AGAIN, "a long text doesn't change the status");
		ok(len > 8000 && len <= 32768, "it is cut: %zu bytes", len);
		ok(strncmp(end.said, "prog: error: ", 13) == 0, "its beginning is said");
		ok(len > 0 && end.said[len - 1] == '\n', "and a newline at its end");
		free(end.said);
	}
}

static void die_with_nobody_listening(const void *context)
{
	(void)context;
	close(STDERR_FILENO);
	die(DIE_NOT_NOW, NULL, "nobody hears this");
}

/* Started without 0 to 2: what it opens next must not become one of them. */
static void begin_without_descriptors(const void *context)
{
	(void)context;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		close(fd);
	die_program("prog");
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			exit(99);
	exit(open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 98);
}

static void test_worst(void)
{
	is_number(die_worst(DIE_DONE, DIE_DONE), DIE_DONE, "the worst of nothing is nothing");
	is_number(die_worst(DIE_PERSON, DIE_AGAIN), DIE_PERSON, "4 is worse than 1");
	is_number(die_worst(DIE_DONE, DIE_NOT_NOW), DIE_NOT_NOW, "3 is worse than 0");
}

int main(void)
{
	is_string(die_program_name(), "dml", "a name, before one is set");
	die_program("prog");
	is_string(die_program_name(), "prog", "the name that was set");
	test_die();
	test_verbosity();
	test_one_write();
	test_long();
	ends(die_with_nobody_listening, NULL, DIE_NOT_NOW, "",
		"without standard error the status remains");
	ends(begin_without_descriptors, NULL, 0, "",
		"descriptors 0 to 2 are opened if need be");
	test_worst();
	return done_testing();
}
