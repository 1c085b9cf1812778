#include "target.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PATH_SIZE = TARGET_MAX / 4, DATA_SIZE = 24 };

/* Returns how many bytes there were. */
static size_t read_memory(pid_t pid, uint64_t address, char *data, size_t size)
{
	/* A page at a time, for the next may not be mapped. */
	size_t done = 0;

	while (done < size) {
		size_t room = 4096 - (address + done) % 4096;
		struct iovec local = {.iov_base = (char *)data + done,
			.iov_len = room < size - done ? room : size - done};
		struct iovec remote = {.iov_base = (void *)(uintptr_t)(address + done),
			.iov_len = local.iov_len};
		ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static void add_descriptor(char *target, pid_t pid, int fd)
{
	char link[64], path[PATH_SIZE];
	ssize_t n;

	if (fd == STDOUT_FILENO || fd == STDERR_FILENO) {
		strcat(target, fd == STDOUT_FILENO ? "stdout" : "stderr");
		return;
	}
	if (fd == AT_FDCWD)
		snprintf(link, sizeof link, "/proc/%d/cwd", (int)pid);
	else
		snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	strcat(target, path);
}

static void add_path(char *target, pid_t pid, uint64_t address)
{
	char path[PATH_SIZE];

	path[read_memory(pid, address, path, sizeof path - 1)] = '\0';
	strcat(target, path);
}

/* A path below a directory's descriptor. */
static void add_path_at(char *target, pid_t pid, const uint64_t args[2])
{
	size_t before = strlen(target);
	char path[PATH_SIZE] = "";

	add_path(path, pid, args[1]);
	if (path[0] != '/') {
		add_descriptor(target, pid, (int)args[0]);
		if (strlen(target) > before && path[0] != '\0')
			strcat(target, "/");
	}
	strcat(target, path);
}

static void add_data(char *target, pid_t pid, const uint64_t args[3])
{
	size_t length = args[2] < DATA_SIZE ? (size_t)args[2] : DATA_SIZE;
	char data[DATA_SIZE + 1];

	length = read_memory(pid, args[1], data, length);
	data[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (data[i] <= ' ' || data[i] > '~')
			data[i] = '_';
	strcat(strcat(target, ":"), data);
}

void target_find(
	char target[TARGET_MAX], pid_t pid, const struct call *call, const uint64_t args[6])
{
	target[0] = '\0';
	switch (call->target) {
	case CALL_NOTHING:
		break;
	case CALL_FD:
		add_descriptor(target, pid, (int)args[0]);
		break;
	case CALL_DATA:
		add_descriptor(target, pid, (int)args[0]);
		add_data(target, pid, args);
		break;
	case CALL_PATH:
		add_path(target, pid, args[0]);
		break;
	case CALL_AT:
		add_path_at(target, pid, args);
		break;
	case CALL_TWO:
		add_path_at(target, pid, args);
		strcat(target, ">");
		add_path_at(target, pid, args + 2);
		break;
	}
	for (char *c = target; *c != '\0'; c++)
		if (*c == ' ' || *c == '\n')
			*c = '_';
	if (target[0] == '\0')
		strcpy(target, "-");
}
