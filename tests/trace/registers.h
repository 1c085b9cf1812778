/*
 * What a system call looks like in a stopped process's registers: the part of tracer.c that
 * each kind of processor has its own way of.  False if the process can't be altered.
 */
#ifndef DML_TRACE_REGISTERS_H
#define DML_TRACE_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { REGISTERS_NO_CALL = -1 };

/* Before a call: another, or none, is made in its place. */
bool registers_set_call(pid_t pid, int number);

/* Before a call: one of its arguments, counted from 0. */
bool registers_set_argument(pid_t pid, int argument, uint64_t value);

/* After a call: what it seems to have returned. */
bool registers_set_result(pid_t pid, int64_t result);

#endif
