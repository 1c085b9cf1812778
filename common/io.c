#include "io.h"

#include "buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *io_hint(int error)
{
	if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		return "make space, then run it again";
	if (error == EROFS)
		return "mount it for writing, then run it again";
	if (error == EACCES || error == EPERM)
		return "look at its owner and mode";
	if (error == EMFILE || error == ENFILE || error == ENOMEM)
		return "run it again when there are files and memory to spare; see ulimit -n";
	return "mend the file system, then run it again";
}

enum die_status io_status(int error)
{
	return error == EACCES || error == EPERM || error == EROFS ? DIE_PERSON : DIE_AGAIN;
}

bool io_write_try(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

void io_write_all(int fd, const char *name, const void *data, size_t len)
{
	if (!io_write_try(fd, data, len))
		io_die("cannot write \"%s\"", name);
}

void io_sync(int fd, const char *name)
{
	if (fsync(fd) != 0)
		io_die("cannot fsync \"%s\"", name);
}

void io_writer_open(struct io_writer *w, int fd, const char *name)
{
	*w = (struct io_writer){.fd = fd, .name = mem_string(name)};
	w->buffer = mem_alloc(IO_BUFFER);
	hash_begin(&w->hash);
}

static void flush(struct io_writer *w)
{
	hash_add(&w->hash, w->buffer, w->used);
	io_write_all(w->fd, w->name, w->buffer, w->used);
	w->size += w->used;
	w->used = 0;
}

void io_writer_add(struct io_writer *w, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len > 0) {
		size_t part = IO_BUFFER - w->used;

		if (part > len)
			part = len;
		memcpy(w->buffer + w->used, p, part);
		w->used += part;
		p += part;
		len -= part;
		if (w->used == IO_BUFFER)
			flush(w);
	}
}

void io_writer_close(struct io_writer *w, struct io_sum *sum)
{
	struct stat st;

	flush(w);
	io_sync(w->fd, w->name);
	if (fstat(w->fd, &st) != 0)
		io_die("cannot stat \"%s\"", w->name);
	if ((uint64_t)st.st_size != w->size)
		die(DIE_AGAIN, io_hint(0), "\"%s\" holds %lld bytes, but %llu were written",
			w->name, (long long)st.st_size, (unsigned long long)w->size);
	if (close(w->fd) != 0)
		io_die("cannot close \"%s\"", w->name);
	sum->size = w->size;
	hash_end(&w->hash, sum->sha256);
	free(w->buffer);
	free(w->name);
	*w = (struct io_writer){.fd = -1};
}

void io_reader_open(struct io_reader *r, int fd, const char *name)
{
	*r = (struct io_reader){.fd = fd, .name = mem_string(name)};
	hash_begin(&r->hash);
}

size_t io_reader_next(struct io_reader *r, void *data, size_t len)
{
	ssize_t n;

	do {
		n = read(r->fd, data, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		io_die("cannot read \"%s\"", r->name);
	hash_add(&r->hash, data, (size_t)n);
	r->size += (uint64_t)n;
	return (size_t)n;
}

void io_reader_close(struct io_reader *r, struct io_sum *sum)
{
	close(r->fd);
	sum->size = r->size;
	hash_end(&r->hash, sum->sha256);
	free(r->name);
	*r = (struct io_reader){.fd = -1};
}
