/*
 * A gzip stream over a file: one member, nothing after it.
 *
 * The reader is strict where gzread(3) is lenient: a torn file, a second member, trailing
 * bytes, plain text, or more than the announced number of bytes is an error.  Errors in the
 * data die with DIE_PERSON, those of the file with DIE_AGAIN.
 */
#ifndef DML_GZ_H
#define DML_GZ_H

#include "io.h"

#include <stddef.h>
#include <stdint.h>

enum { GZ_LEVEL_MIN = 1, GZ_LEVEL_MAX = 9, GZ_LEVEL_DEFAULT = 1 };

struct gz_writer;
struct gz_reader;

/* Takes over `fd`.  `level` as for gzip(1). */
struct gz_writer *gz_writer_open(int fd, const char *name, int level);
void gz_write(struct gz_writer *w, const void *data, size_t len);
/* Ends the stream and frees `w`.  `sum` tells of the file, `bytes` of what went in. */
void gz_writer_close(struct gz_writer *w, struct io_sum *sum, uint64_t *bytes);

/* Takes over `fd`; the stream must inflate to exactly `bytes`. */
struct gz_reader *gz_reader_open(int fd, const char *name, uint64_t bytes);
/* Points `data` at the next piece, valid until the next call.  Returns its length, 0 at the
 * end, by when the stream and the file are known to end together. */
size_t gz_read(struct gz_reader *r, const void **data);
/* After the end: frees `r` and tells of the file. */
void gz_reader_close(struct gz_reader *r, struct io_sum *sum);

/* Which library deflates, for --version. */
const char *gz_library(void);

#endif
