/* The names in a spool's directories. */
#include "spool.h"

#include "buf.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spool_name(char name[SPOOL_NAME_MAX], enum spool_kind kind, uint64_t number)
{
	const char *ending = kind == SPOOL_STAGE ? ".tmp" : kind == SPOOL_DONE ? ".done" : "";

	snprintf(name, SPOOL_NAME_MAX, "%s%010" PRIu64 "%s", *ending != '\0' ? "." : "", number,
		ending);
}

/* A name counts only if it is the one that spool_name() gives to its number. */
static struct spool_entry classify(const char *name)
{
	struct spool_entry entry = {.kind = name[0] == '.' ? SPOOL_DOT : SPOOL_OTHER};

	entry.number = strtoull(name + (name[0] == '.'), NULL, 10);
	entry.name = mem_string(name);
	for (enum spool_kind kind = SPOOL_BATCH; kind <= SPOOL_DONE; kind++) {
		char canonical[SPOOL_NAME_MAX];

		spool_name(canonical, kind, entry.number);
		if (strcmp(name, canonical) == 0 && entry.number > 0 &&
			entry.number <= INT64_MAX)
			entry.kind = kind;
	}
	return entry;
}

bool spool_is_batch(const char *name, uint64_t *number)
{
	struct spool_entry entry = classify(name);

	free(entry.name);
	*number = entry.number;
	return entry.kind == SPOOL_BATCH;
}

static int compare(const void *left, const void *right)
{
	const struct spool_entry *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind <= SPOOL_DONE && a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* A link is none, but might be meant as one. */
static bool is_of_a_tree(const struct dirent *d)
{
	return d->d_type == DT_DIR || d->d_type == DT_LNK || d->d_type == DT_UNKNOWN;
}

/* Where there are too many of its kind, counts it only. */
static bool is_kept(struct spool_list *list, enum spool_kind kind, size_t *dots, size_t *others)
{
	if (kind == SPOOL_DOT && ++*dots > SPOOL_STRANGERS_MAX) {
		list->more_dots++;
		return false;
	}
	if (kind == SPOOL_OTHER && ++*others > SPOOL_STRANGERS_MAX) {
		list->more_others++;
		return false;
	}
	return true;
}

/* False, with errno and an empty list, if it can't be read. */
static bool read_names(const struct spool_dir *dir, struct spool_list *list, bool tree)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	size_t room = 0, dots = 0, others = 0;
	const struct dirent *d;
	int error;

	*list = (struct spool_list){0};
	if (stream == NULL) {
		error = errno;
		if (fd >= 0)
			close(fd);
		errno = error;
		return false;
	}
	while ((errno = 0, d = readdir(stream)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;

		struct spool_entry entry = classify(d->d_name);

		if (tree ? entry.kind != SPOOL_OTHER || !is_of_a_tree(d)
			 : !is_kept(list, entry.kind, &dots, &others)) {
			free(entry.name);
			continue;
		}
		if (list->count == room) {
			room = room > 0 ? 2 * room : 16;
			list->entry = mem_resize(list->entry, room, sizeof *list->entry);
		}
		list->entry[list->count++] = entry;
	}
	error = errno;
	closedir(stream);
	if (error != 0)
		spool_list_free(list);
	if (list->count > 0)
		qsort(list->entry, list->count, sizeof *list->entry, compare);
	errno = error;
	return error == 0;
}

void spool_list(const struct spool_dir *dir, struct spool_list *list)
{
	if (!read_names(dir, list, false))
		io_die("cannot read \"%s\"", dir->path);
}

bool spool_list_peek(const struct spool_dir *dir, struct spool_list *list, bool tree,
	enum die_status *status)
{
	if (read_names(dir, list, tree))
		return true;
	*status = die_worst(*status, io_status(errno));
	complain(io_hint(errno), "cannot read \"%s\": %s", dir->path, strerror(errno));
	return false;
}

void spool_warn_of_strangers(const struct spool_dir *dir, const struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->entry[i].kind == SPOOL_OTHER)
			warn("ignoring \"%s/%s\", which is no batch", dir->path,
				list->entry[i].name);
	if (list->more_others > 0)
		warn("ignoring %zu more in \"%s\"", list->more_others, dir->path);
}

void spool_list_free(struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entry[i].name);
	free(list->entry);
	*list = (struct spool_list){0};
}
