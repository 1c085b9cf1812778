/*
 * A cursor over text that must be exactly as its encoder writes it.  Each function takes one
 * thing and moves on, or answers false and leaves the cursor where it was.
 */
#ifndef DML_DECODE_H
#define DML_DECODE_H

#include "hash.h"

#include <stdbool.h>
#include <stdint.h>

enum { DECODE_UUID = 36 + 1, DECODE_TIME = 27 + 1 }; /* bytes of text, and a NUL */

struct decode {
	const char *at;
	const char *end;
	const char *line; /* what is being read, for the message */
};

bool decode_literal(struct decode *d, const char *text);
/* Decimal digits without a leading zero, at most `max`. */
bool decode_number(struct decode *d, uint64_t max, uint64_t *value);
/* The 64 lower-case digits of a SHA-256. */
bool decode_hex(struct decode *d, char text[HASH_TEXT]);
/* A uuid as PostgreSQL prints it. */
bool decode_uuid(struct decode *d, char text[DECODE_UUID]);
/* 2026-01-31T23:59:59.123456Z; whether there is such a day nobody asks. */
bool decode_time(struct decode *d, char text[DECODE_TIME]);
/* One byte or more up to a blank or a newline; the caller frees it. */
bool decode_word(struct decode *d, char **text);

#endif
