/*
 * Files that are hashed as they are written and read.  What a struct io_sum says is what
 * passed through, not what a second look found.
 *
 * Names are for messages only.  Every failure dies with DIE_AGAIN; an fsync or close that
 * failed is never tried again, for the kernel may already have dropped the pages.
 */
#ifndef DML_IO_H
#define DML_IO_H

#include "hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hint where what is read is not what was written elsewhere and shipped here. */
#define IO_SHIP_AGAIN                                                                          \
	"ship the batch again from its source, with rsync --checksum; "                        \
	"if that has it no more, export all rows with dml-export --full"

struct io_sum {
	uint64_t size; /* bytes */
	char sha256[HASH_TEXT];
};

/* Bytes of a buffer for what a file holds.  A fuzzer's inputs are to be longer than it. */
#ifndef IO_BUFFER
#define IO_BUFFER ((size_t)256 * 1024)
#endif

struct io_writer {
	int fd;
	char *name;
	struct hash hash;
	uint64_t size;
	unsigned char *buffer;
	size_t used;
};

struct io_reader {
	int fd;
	char *name;
	struct hash hash;
	uint64_t size;
};

/* The hint for a system call that failed with this errno: what to do before the next run. */
const char *io_hint(int error);

/* Writes all of it, through short writes and EINTR; false with errno if it can't. */
bool io_write_try(int fd, const void *data, size_t len);
/* The same, or dies. */
void io_write_all(int fd, const char *name, const void *data, size_t len);

/* Makes a directory's or file's content durable. */
void io_sync(int fd, const char *name);

/* Takes over `fd`, open for writing and empty. */
void io_writer_open(struct io_writer *w, int fd, const char *name);
void io_writer_add(struct io_writer *w, const void *data, size_t len);
/* Flushes, checks the size on disk, fsyncs, closes, and says what was written. */
void io_writer_close(struct io_writer *w, struct io_sum *sum);

/* Takes over `fd`, open for reading. */
void io_reader_open(struct io_reader *r, int fd, const char *name);
/* Returns the bytes read, 0 at the end. */
size_t io_reader_next(struct io_reader *r, void *data, size_t len);
/* Closes, and says what was read. */
void io_reader_close(struct io_reader *r, struct io_sum *sum);

#endif
