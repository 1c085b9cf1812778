/*
 * Stands in for common/die.c: a die() that doesn't end the fuzzer.
 *
 *     if (setjmp(*die_expect()) == 0)
 *             …what may die…
 *     else
 *             …it did, with die_status_seen()…
 *     die_unexpected();
 *
 * A die() that nobody expects is a finding.
 */
#ifndef DML_DIE_STUB_H
#define DML_DIE_STUB_H

#include "die.h"

#include <setjmp.h>

jmp_buf *die_expect(void);
void die_unexpected(void);
enum die_status die_status_seen(void);

#endif
