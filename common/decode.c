#include "decode.h"

#include "buf.h"

#include <string.h>

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool decode_literal(struct decode *d, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(d->end - d->at) < len || memcmp(d->at, text, len) != 0)
		return false;
	d->at += len;
	return true;
}

bool decode_number(struct decode *d, uint64_t max, uint64_t *value)
{
	const char *p = d->at;
	uint64_t n = 0;

	for (; p < d->end && *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (digit > max || n > (max - digit) / 10 || (p > d->at && n == 0))
			return false;
		n = n * 10 + digit;
	}
	if (p == d->at)
		return false;
	d->at = p;
	*value = n;
	return true;
}

bool decode_hex(struct decode *d, char text[HASH_TEXT])
{
	if (d->end - d->at < HASH_TEXT - 1)
		return false;
	for (int i = 0; i < HASH_TEXT - 1; i++)
		if (!is_hex(d->at[i]))
			return false;
	memcpy(text, d->at, HASH_TEXT - 1);
	text[HASH_TEXT - 1] = '\0';
	d->at += HASH_TEXT - 1;
	return true;
}

/* 'x' stands for a hexadecimal digit, '9' for a decimal one, all else for itself. */
static bool has_shape(char c, char shape)
{
	switch (shape) {
	case 'x':
		return is_hex(c);
	case '9':
		return c >= '0' && c <= '9';
	default:
		return c == shape;
	}
}

static bool decode_shape(struct decode *d, const char *shape, char *text)
{
	size_t len = strlen(shape);

	if ((size_t)(d->end - d->at) < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!has_shape(d->at[i], shape[i]))
			return false;
	memcpy(text, d->at, len);
	text[len] = '\0';
	d->at += len;
	return true;
}

bool decode_uuid(struct decode *d, char text[DECODE_UUID])
{
	return decode_shape(d, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", text);
}

bool decode_time(struct decode *d, char text[DECODE_TIME])
{
	return decode_shape(d, "9999-99-99T99:99:99.999999Z", text);
}

bool decode_word(struct decode *d, char **text)
{
	struct buf b = {0};
	const char *p = d->at;

	while (p < d->end && *p != ' ' && *p != '\n' && *p != '\0')
		p++;
	if (p == d->at)
		return false;
	buf_add(&b, d->at, (size_t)(p - d->at));
	d->at = p;
	*text = b.data;
	return true;
}
