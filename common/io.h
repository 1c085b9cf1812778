/*
 * Files that are hashed as they are written and read.  What a struct io_sum says is what
 * passed through, not what a second look found.
 *
 * Names are for messages only.  Every failure dies as io_status() has it; an fsync or close
 * that failed is never tried again, for the kernel may already have dropped the pages.
 */
#ifndef DML_IO_H
#define DML_IO_H

#include "die.h"
#include "hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hint for a file that is not what its source wrote. */
#define IO_SHIP_AGAIN                                                                          \
	"ship the batch again from its source, with rsync --checksum; "                        \
	"if that has it no more, export all rows with dml-export --full"

struct io_sum {
	uint64_t size; /* bytes */
	char sha256[HASH_TEXT];
};

/* Size of the buffers for files, in bytes; a fuzzer makes it smaller than its inputs. */
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

/* For a system call that failed with this errno: what to do before the next run, */
const char *io_hint(int error);
/* and whether that takes a person: DIE_PERSON where permission is missing, else DIE_AGAIN. */
enum die_status io_status(int error);
/* Dies of errno so, with die_errno()'s message. */
#define io_die(...) die_errno(io_status(errno), io_hint(errno), __VA_ARGS__)

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
