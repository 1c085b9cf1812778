/* System calls by name, as far as a test asks for one. */
#ifndef DML_TRACE_CALLS_H
#define DML_TRACE_CALLS_H

#include <stdint.h>

/* What the first arguments mean. */
enum call_target {
	CALL_NOTHING, /* nothing that we know of */
	CALL_FD,      /* a descriptor */
	CALL_DATA,    /* the same, and data that goes there */
	CALL_PATH,    /* a path */
	CALL_AT,      /* a directory's descriptor and a path below it */
	CALL_TWO,     /* two of these */
};

struct call {
	uint64_t number;
	const char *name;
	enum call_target target;
};

/* NULL if it is none of those that we know. */
const struct call *call_by_number(uint64_t number);

#endif
