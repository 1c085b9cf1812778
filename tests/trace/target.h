/* What a system call is about, as text without blanks. */
#ifndef DML_TRACE_TARGET_H
#define DML_TRACE_TARGET_H

#include "calls.h"

#include <sys/types.h>

enum { TARGET_MAX = 1200 };

/*
 * A file, directory or socket, as the kernel knows it at this moment; "OLD>NEW" where there are
 * two; "SOCKET:DATA", the first bytes, for what is sent; "-" if nothing is known.  The process
 * must be stopped before the call.
 */
void target_find(
	char target[TARGET_MAX], pid_t pid, const struct call *call, const uint64_t args[6]);

#endif
