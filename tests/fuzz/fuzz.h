/* What every fuzz target has: its entry, and the properties that it checks. */
#ifndef DML_FUZZ_H
#define DML_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold whatever the input; if it doesn't, the fuzzer has found something.
 */
static inline void must(bool good, const char *property)
{
	if (good)
		return;
	fprintf(stderr, "not so: %s\n", property);
	abort();
}

#endif
