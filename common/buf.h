/*
 * Memory: allocation that doesn't fail, and a growable byte buffer.
 *
 * Whatever runs out of memory dies with DIE_AGAIN; no caller checks for NULL.
 *
 * struct buf starts as {0}.  Invariants: data[0..len) is the content; where data is not
 * NULL, data[len] is a NUL that len doesn't count, so that text can be used as a string.
 */
#ifndef DML_BUF_H
#define DML_BUF_H

#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
};

/* Says so and exits, with DIE_AGAIN. */
_Noreturn void mem_exhausted(void);
void *mem_alloc(size_t size);
void *mem_zero(size_t count, size_t size);
/* Grows or shrinks to `count` elements of `size` bytes; `old` may be NULL. */
void *mem_resize(void *old, size_t count, size_t size);
char *mem_string(const char *text);
/* Frees *field and puts a copy of `text` there. */
void mem_replace(char **field, const char *text);
/* A formatted string of its own; the caller frees it. */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies a string into an array of `size` bytes, which it is known to fit; dies if not. */
void buf_copy(char *out, size_t size, const char *text);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_byte(struct buf *b, char c);
void buf_string(struct buf *b, const char *text);
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Before each part of a list: puts the separator there, but not before the first. */
void buf_separate(struct buf *b, const char *separator);
/* Makes room for `len` more bytes and returns where they go; set b->len afterwards. */
char *buf_room(struct buf *b, size_t len);
/* Empties it and keeps the memory. */
void buf_reset(struct buf *b);
/* Frees the content; `b` is {0} again. */
void buf_free(struct buf *b);
/* The content as a string ("" if there is none), which still belongs to `b`. */
const char *buf_text(const struct buf *b);

#endif
