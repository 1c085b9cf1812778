#include "buf.h"

#include "die.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mem_exhausted(void)
{
	die(DIE_AGAIN, "run it again when the machine has memory to spare", "out of memory");
}

static void *or_die(void *p)
{
	if (p == NULL)
		mem_exhausted();
	return p;
}

void *mem_alloc(size_t size)
{
	return or_die(malloc(size > 0 ? size : 1));
}

void *mem_zero(size_t count, size_t size)
{
	return or_die(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / size)
		return or_die(NULL);
	return or_die(realloc(old, count * size > 0 ? count * size : 1));
}

char *mem_string(const char *text)
{
	return or_die(strdup(text));
}

void mem_replace(char **field, const char *text)
{
	free(*field);
	*field = mem_string(text);
}

/* Takes the arguments once; `b` grows until they fit. */
__attribute__((format(printf, 2, 0))) static void add_formatted(
	struct buf *b, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		die(DIE_AGAIN, "run it again", "cannot format a message");
	vsnprintf(buf_room(b, (size_t)len), (size_t)len + 1, format, args);
	b->len += (size_t)len;
}

char *mem_format(const char *format, ...)
{
	struct buf b = {0};
	va_list args;

	va_start(args, format);
	add_formatted(&b, format, args);
	va_end(args);
	return b.data;
}

void buf_copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		die(DIE_AGAIN, "run it again; if it stays so, tell the author",
			"\"%s\" is longer than expected", text);
	memcpy(out, text, len + 1);
}

char *buf_room(struct buf *b, size_t len)
{
	if (len > SIZE_MAX / 2 - b->len)
		or_die(NULL);
	if (b->data == NULL || b->len + len + 1 > b->cap) {
		size_t cap = b->cap > 0 ? b->cap : 64;

		while (cap < b->len + len + 1)
			cap *= 2;
		b->data = mem_resize(b->data, cap, 1);
		b->cap = cap;
	}
	b->data[b->len] = '\0';
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	char *room = buf_room(b, len);

	if (len > 0)
		memcpy(room, data, len);
	room[len] = '\0';
	b->len += len;
}

void buf_byte(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_string(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_format(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_formatted(b, format, args);
	va_end(args);
}

void buf_separate(struct buf *b, const char *separator)
{
	if (b->len > 0)
		buf_string(b, separator);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

const char *buf_text(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}
