/*
 * COPY text as the importer lets it pass, `ids` and `data.gz` alike: whatever COPY TO writes
 * is taken, in whatever pieces; and what is taken COPY FROM reads to its end, a row a line.
 *
 * The input's first 16 bytes are the lengths of the pieces.
 */
#include "copy_text.h"

#include "buf.h"
#include "fuzz.h"

#include <string.h>

enum { LENGTHS = 16 };

static bool takes(const struct buf *b, const uint8_t *lengths)
{
	struct copy_text t = {0};
	bool good = true;

	for (size_t done = 0, part, i = 0; good && done < b->len; done += part, i++) {
		part = (size_t)lengths[i % LENGTHS] + 1;
		if (part > b->len - done)
			part = b->len - done;

		char *piece = mem_alloc(part); /* so that reading beyond it is seen */
		memcpy(piece, b->data + done, part);
		good = copy_text_next(&t, piece, part);
		free(piece);
	}
	return good && copy_text_ended(&t);
}

/* Is every backslash followed by what COPY TO puts there, and no byte a NUL? */
static bool is_written(const struct buf *b)
{
	if (b->len > 0 && memchr(b->data, '\0', b->len) != NULL)
		return false;
	for (size_t i = 0; i < b->len; i++)
		if (b->data[i] == '\\' &&
			(++i == b->len || memchr("bfnrtvN\\", b->data[i], 8) == NULL))
			return false;
	return true;
}

/* The rows that COPY FROM reads, by the rules of PostgreSQL's CopyReadLineText(); and where it
 * stops. */
static size_t read_rows(const struct buf *b, size_t *stop)
{
	size_t rows = 0, begin = 0, at = 0;

	while (at < b->len) {
		if (b->data[at] == '\\' && at + 1 < b->len && b->data[at + 1] == '.')
			break;
		if (b->data[at] == '\n') {
			rows++;
			begin = at + 1;
		}
		at += b->data[at] == '\\' && at + 1 < b->len ? 2 : 1;
	}
	*stop = at;
	return rows + (at > begin);
}

static size_t count_lines(const struct buf *b)
{
	size_t lines = 0;

	for (size_t i = 0; i < b->len; i++)
		lines += b->data[i] == '\n';
	return lines + (b->len > 0 && b->data[b->len - 1] != '\n');
}

static void check(const struct buf *b, const uint8_t *lengths)
{
	bool taken = takes(b, lengths);
	size_t stop;

	must(taken == is_written(b), "what COPY TO could have written is taken, and only that");
	if (!taken)
		return;
	must(read_rows(b, &stop) == count_lines(b), "a row is a line");
	must(stop == b->len, "COPY FROM reads to the end");
}

/* Rows of fields as CopyAttributeOutText() writes them; SOH ends a field, STX a row, and NUL
 * stands for a NULL. */
static void write_rows(struct buf *b, const uint8_t *data, size_t size)
{
	static const char escaped[] = "\b\f\n\r\t\v\\", letters[] = "bfnrtv\\";

	for (size_t i = 0; i < size; i++) {
		const char *special = data[i] == 0 ? NULL : strchr(escaped, data[i]);

		if (data[i] == 0)
			buf_string(b, "\\N");
		else if (data[i] == 1)
			buf_byte(b, '\t');
		else if (data[i] == 2)
			buf_byte(b, '\n');
		else if (special != NULL)
			buf_format(b, "\\%c", letters[special - escaped]);
		else
			buf_byte(b, (char)data[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf raw = {0}, written = {0};

	if (size < LENGTHS)
		return 0;
	buf_add(&raw, data + LENGTHS, size - LENGTHS);
	check(&raw, data);
	write_rows(&written, data + LENGTHS, size - LENGTHS);
	must(takes(&written, data), "whatever COPY TO writes is taken");
	check(&written, data);
	buf_free(&raw);
	buf_free(&written);
	return 0;
}
