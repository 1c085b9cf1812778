#include "copy_text.h"

#include <string.h>

static bool is_written(char c)
{
	static const bool written[256] = {['b'] = true,
		['f'] = true,
		['n'] = true,
		['r'] = true,
		['t'] = true,
		['v'] = true,
		['N'] = true,
		['\\'] = true};

	return written[(unsigned char)c];
}

/* The next backslash, or NULL.  Most rows have none, and those of many NULLs one every few
 * bytes, for which memchr(3) alone would take longer than all of inflating. */
static const char *backslash(const char *at, const char *end)
{
	const char *near = end - at > 16 ? at + 16 : end;

	for (; at < near; at++)
		if (*at == '\\')
			return at;
	return memchr(at, '\\', (size_t)(end - at));
}

bool copy_text_next(struct copy_text *t, const char *data, size_t len)
{
	const char *at = data, *end = data + len;

	if (len == 0)
		return true;
	if (memchr(data, '\0', len) != NULL)
		return false;
	if (t->escaped && !is_written(*at++))
		return false;
	t->escaped = false;
	while ((at = backslash(at, end)) != NULL) {
		if (++at == end) {
			t->escaped = true;
			return true;
		}
		if (!is_written(*at++))
			return false;
	}
	return true;
}

bool copy_text_ended(const struct copy_text *t)
{
	return !t->escaped;
}
