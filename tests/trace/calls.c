#include "calls.h"

#include <stddef.h>
#include <sys/syscall.h>

#define CALL(name, target)                                                                     \
	{                                                                                      \
		SYS_##name, #name, target                                                      \
	}

static const struct call calls[] = {
	CALL(accept4, CALL_FD),
	CALL(bind, CALL_FD),
	CALL(brk, CALL_NOTHING),
	CALL(chdir, CALL_PATH),
	CALL(clone, CALL_NOTHING),
	CALL(clone3, CALL_NOTHING),
	CALL(close, CALL_FD),
	CALL(connect, CALL_FD),
	CALL(execve, CALL_PATH),
	CALL(exit_group, CALL_NOTHING),
	CALL(faccessat, CALL_AT),
	CALL(faccessat2, CALL_AT),
	CALL(fallocate, CALL_FD),
	CALL(fchmod, CALL_FD),
	CALL(fchmodat, CALL_AT),
	CALL(fchownat, CALL_AT),
	CALL(fcntl, CALL_FD),
	CALL(fdatasync, CALL_FD),
	CALL(flock, CALL_FD),
	CALL(fstat, CALL_FD),
	CALL(fstatfs, CALL_FD),
	CALL(fsync, CALL_FD),
	CALL(ftruncate, CALL_FD),
	CALL(futex, CALL_NOTHING),
	CALL(getcwd, CALL_NOTHING),
	CALL(getdents64, CALL_FD),
	CALL(getpid, CALL_NOTHING),
	CALL(getppid, CALL_NOTHING),
	CALL(getrandom, CALL_NOTHING),
	CALL(getsockname, CALL_FD),
	CALL(getsockopt, CALL_FD),
	CALL(ioctl, CALL_FD),
	CALL(kill, CALL_NOTHING),
	CALL(linkat, CALL_TWO),
	CALL(lseek, CALL_FD),
	CALL(madvise, CALL_NOTHING),
	CALL(mkdirat, CALL_AT),
	CALL(mmap, CALL_NOTHING),
	CALL(mprotect, CALL_NOTHING),
	CALL(mremap, CALL_NOTHING),
	CALL(munmap, CALL_NOTHING),
	CALL(newfstatat, CALL_AT),
	CALL(openat, CALL_AT),
	CALL(ppoll, CALL_NOTHING),
	CALL(prctl, CALL_NOTHING),
	CALL(pread64, CALL_FD),
	CALL(prlimit64, CALL_NOTHING),
	CALL(pselect6, CALL_NOTHING),
	CALL(pwrite64, CALL_FD),
	CALL(read, CALL_FD),
	CALL(readlinkat, CALL_AT),
	CALL(recvfrom, CALL_FD),
	CALL(recvmsg, CALL_FD),
	CALL(renameat2, CALL_TWO),
	CALL(rt_sigaction, CALL_NOTHING),
	CALL(rt_sigprocmask, CALL_NOTHING),
	CALL(sendmsg, CALL_FD),
	CALL(sendto, CALL_DATA),
	CALL(setsockopt, CALL_FD),
	CALL(shutdown, CALL_FD),
	CALL(socket, CALL_NOTHING),
	CALL(statx, CALL_AT),
	CALL(sync_file_range, CALL_FD),
	CALL(unlinkat, CALL_AT),
	CALL(utimensat, CALL_AT),
	CALL(wait4, CALL_NOTHING),
	CALL(write, CALL_FD),
	CALL(writev, CALL_FD),
/* Those that newer processors do without. */
#ifdef SYS_open
	CALL(access, CALL_PATH),
	CALL(chmod, CALL_PATH),
	CALL(fork, CALL_NOTHING),
	CALL(lchown, CALL_PATH),
	CALL(link, CALL_PATH),
	CALL(lstat, CALL_PATH),
	CALL(mkdir, CALL_PATH),
	CALL(open, CALL_PATH),
	CALL(poll, CALL_NOTHING),
	CALL(readlink, CALL_PATH),
	CALL(rename, CALL_PATH),
	CALL(renameat, CALL_TWO),
	CALL(rmdir, CALL_PATH),
	CALL(select, CALL_NOTHING),
	CALL(stat, CALL_PATH),
	CALL(symlink, CALL_PATH),
	CALL(unlink, CALL_PATH),
	CALL(vfork, CALL_NOTHING),
#endif
};

const struct call *call_by_number(uint64_t number)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}
