/*
 * The `columns` file: a line for each column in COPY order, its name, a tab, its type; both
 * escaped as COPY text escapes.
 */
#ifndef DML_COLUMNS_H
#define DML_COLUMNS_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { COLUMNS_MAX = 1600, COLUMNS_BYTES_MAX = 1024 * 1024 };

struct column {
	char *name;
	char *type; /* as format_type() prints it with an empty search_path */
};

struct columns {
	struct column *column;
	size_t count;
};

/* Takes copies of both. */
void columns_add(struct columns *c, const char *name, const char *type);
void columns_encode(struct buf *b, const struct columns *c);
/* False if the text is not what columns_encode() writes of one column or more, COLUMNS_MAX at
 * most. */
bool columns_decode(const char *text, size_t len, struct columns *c);
void columns_free(struct columns *c);

/* True if values may name objects: of type regclass or its like, be it in a domain or in a
 * composite. */
bool columns_have_names(const struct columns *c);

#endif
