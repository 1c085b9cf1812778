#include "registers.h"

#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)

static bool set(pid_t pid, size_t offset, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, pid, (void *)offset, (void *)(uintptr_t)value) == 0;
}

bool registers_set_call(pid_t pid, int number)
{
	return set(pid, offsetof(struct user_regs_struct, orig_rax), (uint64_t)number);
}

bool registers_set_argument(pid_t pid, int argument, uint64_t value)
{
	static const size_t offsets[] = {
		offsetof(struct user_regs_struct, rdi),
		offsetof(struct user_regs_struct, rsi),
		offsetof(struct user_regs_struct, rdx),
	};

	return set(pid, offsets[argument], value);
}

bool registers_set_result(pid_t pid, int64_t result)
{
	return set(pid, offsetof(struct user_regs_struct, rax), (uint64_t)result);
}

#elif defined(__aarch64__)

static bool set(pid_t pid, size_t number, uint64_t value)
{
	struct user_regs_struct regs;
	struct iovec area = {.iov_base = &regs, .iov_len = sizeof regs};

	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &area) != 0)
		return false;
	regs.regs[number] = value;
	return ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &area) == 0;
}

bool registers_set_call(pid_t pid, int number)
{
	struct iovec area = {.iov_base = &number, .iov_len = sizeof number};

	return ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &area) == 0;
}

bool registers_set_argument(pid_t pid, int argument, uint64_t value)
{
	return set(pid, (size_t)argument, value);
}

bool registers_set_result(pid_t pid, int64_t result)
{
	return set(pid, 0, (uint64_t)result);
}

#else
#error "registers.c does not know this processor"
#endif
