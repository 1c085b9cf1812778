/*
 * What each command of a test begins as: a process group of its own, so that a test can end all
 * that the command has started in its turn, and signals that nohup or cron may have left
 * ignored.  Then it becomes the command.
 *
 * usage: group DESCRIPTOR COMMAND [ARGUMENT]...
 *
 * The descriptor is closed once the command runs: until then a signal would meet this program.
 * Static, for it is started as often as what it becomes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments)
{
	static const int default_signals[] = {SIGPIPE, SIGHUP, SIGINT, SIGTERM};

	if (count < 3)
		return 126;
	if (fcntl(atoi(arguments[1]), F_SETFD, FD_CLOEXEC) < 0 || setpgid(0, 0) < 0)
		return 126;
	for (size_t i = 0; i < sizeof default_signals / sizeof *default_signals; i++)
		signal(default_signals[i], SIG_DFL);
	execvp(arguments[2], arguments + 2);
	fprintf(stderr, "exec %s: %s\n", arguments[2], strerror(errno));
	return 127;
}
