/* A batch as an exporter could have made it, for the tests of what reads one. */
#ifndef DML_SAMPLE_H
#define DML_SAMPLE_H

#include "batch.h"

#include <stdbool.h>

#define SAMPLE_COLUMNS "id\tbigint\nname\ttext\n"
#define SAMPLE_IDS "1\n2\n3\n"
#define SAMPLE_DATA "any bytes\0at all"

enum { SAMPLE_NUMBER = 42, SAMPLE_BASE = 41 };

/* Number 42 of a chain, scope `changes`; manifest_free() frees it.  Its files are those
 * above, of which SAMPLE_DATA is not gzip: the manifest is not concerned. */
void sample_manifest(struct manifest *m);

/* Replaces the seal of a manifest's text, whatever its lines have become. */
void sample_seal(struct buf *text);
/* Replaces `from`, and the seal.  False unless `from` stands there, once. */
bool sample_replace(struct buf *text, const char *from, const char *to);

/* Makes it in the scratch directory, 0000000042, but with these columns. */
void sample_batch(const char *columns, size_t len);
/* Opens it; it must be good. */
void sample_open(struct batch *b);

#endif
