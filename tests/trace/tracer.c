/*
 * Runs a program, counts the system calls of each of its processes, and interferes with one.
 *
 *     tracer -o LOG PROGRAM [ARGUMENT]...
 *     tracer -o LOG -n N [-c CALL] [-p PROCESS] -a ACTION PROGRAM [ARGUMENT]...
 *
 * Processes are numbered as they begin, from 0, the program itself; calls from 1, those of each
 * process for itself.  That is why this is not strace: there, N means the Nth call of each.
 * With -c only the calls of that name count.  Before call N of the process (0) the action is
 * done, once:
 *
 *     kill        the process is killed by SIGKILL, and the call not made
 *     kill=M      process M is, and the call made, if it can be
 *     kill=all    all processes are
 *     error=E     the call isn't made, and fails with error number E; but close() is made,
 *                 for whatever it returns, the descriptor is gone
 *     reset=E     the same, and the socket that it is about is dead from then on
 *     short       read or write gets half the length that it asks for, at least 1
 *
 * LOG gets a line for each call, or only for the one that was interfered with:
 *
 *     PROCESS NUMBER CALL TARGET RESULT
 *
 * where NUMBER is N as it counts without -c, TARGET the file, directory or socket, or "-", and
 * RESULT what the call returned, or "?".  Ends as the program does.
 */
#include "calls.h"
#include "registers.h"
#include "target.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MAX = 64 };

enum action { ACTION_NONE, ACTION_KILL, ACTION_ERROR, ACTION_RESET, ACTION_SHORT };
enum { VICTIM_SELF = -1, VICTIM_ALL = -2 };

struct process {
	pid_t pid;
	bool ended;
	bool counting;    /* the program itself counts from its execve() on */
	bool in_call;     /* stopped before a call, the next stop is after it */
	bool failing;     /* this call's result is to be replaced */
	uint64_t calls;   /* so far */
	uint64_t matches; /* of those, the ones that count */
	struct call unknown;
	char unknown_name[24];
	const struct call *call;
	char target[TARGET_MAX];
};

struct tracer {
	FILE *log;
	enum action action;
	int victim;
	int error;
	const char *call;
	int process;
	uint64_t n;
	bool done;
	struct process processes[PROCESSES_MAX];
	int count;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
	exit(125);
}

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: tracer -o LOG [-n N [-c CALL] [-p PROCESS] -a ACTION] PROGRAM...\n");
	exit(125);
}

static void parse_action(struct tracer *t, const char *text)
{
	if (strcmp(text, "short") == 0) {
		t->action = ACTION_SHORT;
	} else if (strncmp(text, "error=", 6) == 0) {
		t->action = ACTION_ERROR;
		t->error = atoi(text + 6);
	} else if (strncmp(text, "reset=", 6) == 0) {
		t->action = ACTION_RESET;
		t->error = atoi(text + 6);
	} else if (strncmp(text, "kill", 4) == 0) {
		t->action = ACTION_KILL;
		t->victim = strcmp(text, "kill") == 0       ? VICTIM_SELF
			    : strcmp(text, "kill=all") == 0 ? VICTIM_ALL
							    : atoi(text + 5);
	} else {
		usage();
	}
}

static char **parse(struct tracer *t, int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "+o:n:c:p:a:")) != -1) {
		switch (letter) {
		case 'o':
			t->log = fopen(optarg, "we");
			if (t->log == NULL)
				fail(optarg);
			break;
		case 'n':
			t->n = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			t->call = optarg;
			break;
		case 'p':
			t->process = atoi(optarg);
			break;
		case 'a':
			parse_action(t, optarg);
			break;
		default:
			usage();
		}
	}
	if (t->log == NULL || optind == argc || (t->n > 0) != (t->action != ACTION_NONE))
		usage();
	return argv + optind;
}

static void start(struct tracer *t, char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			fail("PTRACE_TRACEME");
		raise(SIGSTOP);
		execvp(*command, command);
		fail(*command);
	}
	if (waitpid(pid, NULL, 0) != pid ||
		ptrace(PTRACE_SETOPTIONS, pid, NULL,
			(void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
				 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
				 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) != 0)
		fail("cannot trace");
	t->processes[0].pid = pid;
	t->count = 1;
	if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) != 0)
		fail("PTRACE_SYSCALL");
}

/* A child may be heard of before its parent tells of it: it is entered at its first stop. */
static struct process *process_of(struct tracer *t, pid_t pid)
{
	struct process *p = t->processes;

	while (p < t->processes + t->count && p->pid != pid)
		p++;
	if (p == t->processes + PROCESSES_MAX) {
		fprintf(stderr, "tracer: too many processes\n");
		exit(125);
	}
	if (p == t->processes + t->count) {
		*p = (struct process){.pid = pid, .counting = true};
		t->count++;
	}
	return p;
}

static void name_call(struct process *p, uint64_t number)
{
	p->call = call_by_number(number);
	if (p->call != NULL)
		return;
	snprintf(p->unknown_name, sizeof p->unknown_name, "call%" PRIu64, number);
	p->unknown = (struct call){.name = p->unknown_name};
	p->call = &p->unknown;
}

static void log_call(struct tracer *t, const struct process *p)
{
	fprintf(t->log, "%d %" PRIu64 " %s %s", (int)(p - t->processes), p->calls,
		p->call->name, p->target);
}

static void kill_victims(struct tracer *t, const struct process *self)
{
	for (int i = 0; i < t->count; i++) {
		const struct process *p = &t->processes[i];

		if (!p->ended && (t->victim == VICTIM_ALL || t->victim == i ||
					 (t->victim == VICTIM_SELF && p == self)))
			kill(p->pid, SIGKILL);
	}
}

static void interfere(struct tracer *t, struct process *p, const uint64_t args[6])
{
	bool good = true;

	t->done = true;
	target_find(p->target, p->pid, p->call, args);
	log_call(t, p);
	switch (t->action) {
	case ACTION_KILL:
		kill_victims(t, p);
		break;
	case ACTION_ERROR:
		good = p->call->number == SYS_close ||
		       registers_set_call(p->pid, REGISTERS_NO_CALL);
		p->failing = true;
		break;
	case ACTION_RESET:
		good = registers_set_call(p->pid, SYS_shutdown) &&
		       registers_set_argument(p->pid, 1, SHUT_RDWR);
		p->failing = true;
		break;
	case ACTION_SHORT:
		good = registers_set_argument(p->pid, 2, args[2] > 1 ? args[2] / 2 : args[2]);
		break;
	case ACTION_NONE:
		break;
	}
	if (!good)
		fail("cannot set registers");
}

static void before_call(
	struct tracer *t, struct process *p, const struct __ptrace_syscall_info *info)
{
	uint64_t args[6];

	p->in_call = true;
	if (!p->counting)
		return;
	memcpy(args, info->entry.args, sizeof args);
	p->calls++;
	name_call(p, info->entry.nr);
	if (t->action == ACTION_NONE) {
		target_find(p->target, p->pid, p->call, args);
		return;
	}
	if (t->call != NULL && strcmp(t->call, p->call->name) != 0)
		return;
	p->matches++;
	if (!t->done && p == &t->processes[t->process] && p->matches == t->n)
		interfere(t, p, args);
}

static void after_call(
	struct tracer *t, struct process *p, const struct __ptrace_syscall_info *info)
{
	p->in_call = false;
	if (t->action == ACTION_NONE && p->call != NULL) {
		log_call(t, p);
		fprintf(t->log, " %" PRId64 "\n", (int64_t)info->exit.rval);
	}
	if (p->failing && !registers_set_result(p->pid, -t->error))
		fail("cannot set registers");
	p->failing = false;
}

static void at_call(struct tracer *t, struct process *p)
{
	struct __ptrace_syscall_info info = {0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, (void *)sizeof info, &info) <= 0)
		return; /* it was killed */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		before_call(t, p, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		after_call(t, p, &info);
}

/* Handles a stop; returns the signal that the process is to go on with. */
static int at_stop(struct tracer *t, struct process *p, int status)
{
	int signal = WSTOPSIG(status);

	if (signal == (SIGTRAP | 0x80)) {
		at_call(t, p);
		return 0;
	}
	if (status >> 16 == PTRACE_EVENT_EXEC)
		p->counting = true;
	if (status >> 16 != 0 || signal == SIGSTOP)
		return 0;
	return signal;
}

static int run(struct tracer *t)
{
	int result = 0, status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		struct process *p = process_of(t, pid);
		int signal;

		if (!WIFSTOPPED(status)) {
			p->ended = true;
			if (t->action == ACTION_NONE && p->in_call) {
				log_call(t, p);
				fprintf(t->log, " ?\n");
			}
			if (p == t->processes)
				result = status;
			continue;
		}
		signal = at_stop(t, p, status);
		/* Nothing more to see: let it go at its full speed, once a failed call is over.
		 */
		ptrace(t->done && !p->failing ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL,
			(void *)(intptr_t)signal);
	}
	return result;
}

static int end_as(int status)
{
	struct rlimit no_core = {0};

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	return 125;
}

int main(int argc, char **argv)
{
	struct tracer t = {0};
	int status;

	start(&t, parse(&t, argc, argv));
	status = run(&t);
	if (t.done)
		fprintf(t.log, " ?\n");
	if (fclose(t.log) != 0)
		fail("cannot write the log");
	return end_as(status);
}
