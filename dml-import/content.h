/* The files of a batch that hold COPY text, read once: hashed and looked at as they pass. */
#ifndef DML_IMPORT_CONTENT_H
#define DML_IMPORT_CONTENT_H

#include "batch.h"

#include <stddef.h>

typedef void content_sink(void *context, const void *piece, size_t len);

/*
 * Passes `ids`, or the inflated `data.gz`, on to `sink`, piece by piece.  Dies with DIE_PERSON
 * before a piece that COPY TO would not have written is passed on, and at the end if the file
 * was not what the manifest announces.
 */
void content_read(
	const struct batch *b, enum manifest_file file, content_sink *sink, void *context);

#endif
