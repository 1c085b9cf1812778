/*
 * Preloaded into a program: lets an allocation fail, the Nth since main() began, in whatever
 * library it is.  A child that is forked goes on counting where its parent was.
 *
 *     FAILALLOC_N      which
 *     FAILALLOC_ON     if set, all that follow fail as well
 *     FAILALLOC_LOG    a file that gets a line when the Nth has come: "SIZE LIBRARY",
 *                      the latter being that of the caller
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The allocator itself, by the names that glibc keeps for those who stand before it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

#define CALLER __builtin_return_address(0)

static unsigned long calls, fail_at;
static bool fails_on;
static char log_name[512];

/* Without allocating anything. */
static void tell(size_t size, const void *caller)
{
	char line[512];
	Dl_info info = {0};
	int len = snprintf(line, sizeof line, "%zu %s\n", size,
		dladdr(caller, &info) != 0 ? info.dli_fname : "?");
	int fd = open(log_name, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0 || write(fd, line, (size_t)len) != len || close(fd) != 0)
		abort();
}

static bool must_fail(size_t size, const void *caller)
{
	int before = errno;

	if (fail_at == 0)
		return false;
	calls++;
	if (calls == fail_at)
		tell(size, caller);
	if (calls < fail_at || (calls > fail_at && !fails_on)) {
		errno = before;
		return false;
	}
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return must_fail(size, CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return must_fail(size, CALLER) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	/* What would only free must not fail. */
	return (size > 0 || old == NULL) && must_fail(size, CALLER) ? NULL
								    : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return must_fail(size, CALLER) ? NULL : __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
	return aligned_alloc(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	*memory = aligned_alloc(alignment, size);
	return *memory != NULL ? 0 : ENOMEM;
}

static int (*real_main)(int argc, char **argv, char **env);

static int counted_main(int argc, char **argv, char **env)
{
	const char *n = getenv("FAILALLOC_N");
	const char *log = getenv("FAILALLOC_LOG");

	if (n != NULL && log != NULL && strlen(log) < sizeof log_name) {
		strcpy(log_name, log);
		fails_on = getenv("FAILALLOC_ON") != NULL;
		fail_at = strtoul(n, NULL, 10);
	}
	return real_main(argc, argv, env);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
	void (*init)(void), void (*fini)(void), void (*end)(void), void *stack);

/* Where every program begins; that of glibc does the rest. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
	void (*init)(void), void (*fini)(void), void (*end)(void), void *stack)
{
	union {
		void *found;
		int (*call)(int (*)(int, char **, char **), int, char **, void (*)(void),
			void (*)(void), void (*)(void), void *);
	} next = {dlsym(RTLD_NEXT, "__libc_start_main")};

	if (next.found == NULL)
		abort();
	real_main = main;
	return next.call(counted_main, argc, argv, init, fini, end, stack);
}
