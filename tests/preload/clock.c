/*
 * Preloaded into a server or a program: adds so many seconds to the time of day, in whatever
 * library it is asked for.
 *
 *     CLOCK_OFFSET     a file that holds the number; read each time, so that the clock can jump
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Signal handlers may ask for the time: no stdio here. */
static time_t offset(void)
{
	const char *name = getenv("CLOCK_OFFSET");
	int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	char text[32] = "";

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof text - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);

	if (result == 0 && clock == CLOCK_REALTIME)
		now->tv_sec += offset();
	return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec exact;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &exact) != 0)
		return -1;
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *now)
{
	struct timespec exact = {0};

	if (clock_gettime(CLOCK_REALTIME, &exact) != 0)
		return -1;
	if (now != NULL)
		*now = exact.tv_sec;
	return exact.tv_sec;
}
