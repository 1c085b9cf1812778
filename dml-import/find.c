#include "find.h"

#include "buf.h"
#include "die.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 3 }; /* SPOOL/HOST/DB/TABLE */

static struct found *found_at(const struct find *f, const char *path)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->found[i].dir.path, path) == 0)
			return &f->found[i];
	return NULL;
}

static void name_batch(struct found *found, uint64_t number)
{
	found->number = mem_resize(found->number, found->numbers + 1, sizeof *found->number);
	found->number[found->numbers++] = number;
}

static void name_all(struct found *found)
{
	free(found->number);
	found->number = NULL;
	found->numbers = 0;
}

/* Takes `dir` over, or closes it if it was found already: a directory is locked once.  `number`
 * is the batch that is meant; 0 for all. */
static void add(struct find *f, struct spool_dir *dir, uint64_t number)
{
	struct found *found = found_at(f, dir->path);
	const char *slash = strrchr(dir->path, '/');

	if (found != NULL) {
		spool_close(dir);
		if (number == 0)
			name_all(found);
		else if (!find_means(found, number))
			name_batch(found, number);
		return;
	}
	f->found = mem_resize(f->found, f->count + 1, sizeof *f->found);
	f->found[f->count] = (struct found){
		.dir = *dir, .name = mem_string(slash != NULL ? slash + 1 : dir->path)};
	if (number != 0)
		name_batch(&f->found[f->count], number);
	f->count++;
}

bool find_means(const struct found *found, uint64_t number)
{
	bool means = found->numbers == 0;

	for (size_t i = 0; i < found->numbers; i++)
		means |= found->number[i] == number;
	return means;
}

static bool walk(struct find *f, struct spool_dir *dir, int depth, const char *link);

/* A link in the place of a directory isn't followed, but whoever made it may wait for it; one
 * to anything else is nothing to wait for. */
static void tell_link(const struct spool_dir *dir, const char *name)
{
	struct stat st;

	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(st.st_mode))
		return;
	if (fstatat(dir->fd, name, &st, 0) == 0 && S_ISDIR(st.st_mode))
		warn("ignoring \"%s/%s\", a symbolic link: name the directory that it leads to",
			dir->path, name);
	else
		note("ignoring \"%s/%s\", a symbolic link to no directory", dir->path, name);
}

/* Into what stands in `dir`, a directory above the tables'; true if there is one of a table. */
static bool walk_below(struct find *f, const struct spool_dir *dir, int depth)
{
	struct spool_list list;
	bool found = false;

	if (!spool_list_peek(dir, &list, true, &f->status))
		return false;
	for (size_t i = 0; i < list.count; i++) {
		const char *name = list.entry[i].name;
		struct spool_dir child;

		if (spool_peek(dir, name, &child, &f->status))
			found |= walk(f, &child, depth, NULL);
		else
			tell_link(dir, name);
	}
	spool_list_free(&list);
	return found;
}

/* A table's directory has the table's name: whoever can put a link in its place, or a batch's,
 * would choose another table. */
static void refuse_link(struct find *f, const char *link, const char *to)
{
	complain("name the directory that it leads to, if that is what you mean",
		"\"%s\" is a symbolic link to %s", link, to);
	f->status = die_worst(f->status, DIE_PERSON);
}

/* True if what is left of batches is to be removed in it, which may be a table's directory. */
static bool has_rest(const struct spool_dir *dir, const struct spool_list *list)
{
	const char *slash = strrchr(dir->path, '/');
	struct name name = {0};
	bool has = false;

	for (size_t i = 0; i < list->count; i++)
		has |= list->entry[i].kind == SPOOL_DONE;
	has = has && name_from_directory(slash != NULL ? slash + 1 : dir->path, &name);
	name_free(&name);
	return has;
}

/* Takes `dir` over; true if it is a table's, or one below is.  `link`: how it was named if that
 * was a link, or NULL.  What is left of batches may also lie above the tables' directories. */
static bool walk(struct find *f, struct spool_dir *dir, int depth, const char *link)
{
	struct spool_list list;
	bool batches, found, below;

	if (!spool_list_peek(dir, &list, false, &f->status)) {
		spool_close(dir);
		return false;
	}
	batches = list.count > 0 && list.entry[0].kind == SPOOL_BATCH;
	found = batches || has_rest(dir, &list);
	spool_list_free(&list);
	below = !batches && depth > 0 && walk_below(f, dir, depth - 1);
	if (found && !below && link == NULL) {
		add(f, dir, 0);
		return true;
	}
	if (found && !below)
		refuse_link(f, link, "a table's directory");
	spool_close(dir);
	return found || below;
}

/* Takes away what slashes and dots stand behind the last component. */
static void strip(char *path)
{
	size_t len = strlen(path);

	while (len > 1 &&
		(path[len - 1] == '/' || (path[len - 1] == '.' && path[len - 2] == '/')))
		path[--len] = '\0';
}

/* True if the last component is a link. */
static bool is_link(const char *argument)
{
	char *path = mem_string(argument);
	struct stat st;
	bool is;

	strip(path);
	is = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
	free(path);
	return is;
}

/* Of a batch: it, or the table's directory that it is named in. */
static bool is_linked_batch(const char *argument)
{
	char *path = mem_string(argument), *slash;
	bool is = is_link(path);

	strip(path);
	slash = strrchr(path, '/');
	if (slash != NULL && slash != path) {
		*slash = '\0';
		is |= is_link(path);
	}
	free(path);
	return is;
}

/* The path without links and dots, for its last component must be the table's name.  NULL,
 * after a message, if there is nothing: the others may be there. */
static char *resolve(struct find *f, const char *argument)
{
	char *path = realpath(argument, NULL);

	if (path == NULL) {
		int error = errno;
		bool stays_so = error == ENOENT || error == ENOTDIR;

		complain(stays_so ? "name a directory that exists" : io_hint(error),
			"cannot find \"%s\": %s", argument, strerror(error));
		f->status = die_worst(f->status, stays_so ? DIE_PERSON : io_status(error));
	}
	return path;
}

static void find_one(struct find *f, const char *argument)
{
	char *path = resolve(f, argument);
	struct spool_dir dir;
	uint64_t number;
	size_t before = f->count;

	if (path == NULL)
		return;

	char *slash = strrchr(path, '/');
	bool is_batch = slash != NULL && slash != path && spool_is_batch(slash + 1, &number);
	enum die_status status;

	if (is_batch && is_linked_batch(argument)) {
		refuse_link(f, argument, "a batch, or its table's directory is one");
		free(path);
		return;
	}
	if (is_batch)
		*slash = '\0';
	status = spool_try(&dir, path);
	if (status != DIE_DONE) {
		f->status = die_worst(f->status, status);
	} else if (is_batch) {
		add(f, &dir, number);
	} else {
		enum die_status above = f->status;

		(void)walk(f, &dir, DEPTH_MAX, is_link(argument) ? argument : NULL);
		if (f->count == before && f->status == above)
			note("there is no batch in \"%s\"", argument);
	}
	free(path);
}

void find_all(struct find *f, char *const *arguments, size_t count)
{
	*f = (struct find){0};
	spool_allow_many();
	for (size_t i = 0; i < count; i++)
		find_one(f, arguments[i]);
}

void find_permit(const struct name *name, const char *hint)
{
	struct buf table = {0};

	if (strcmp(name->schema, "dml") != 0 && strncmp(name->schema, "pg_", 3) != 0 &&
		strcmp(name->schema, "information_schema") != 0)
		return;
	name_to_sql(&table, name);
	die(DIE_PERSON, hint, "table %s is in a schema that no spool may write to", table.data);
}

void find_table(const struct found *found, struct name *name)
{
	if (!name_from_directory(found->name, name))
		die(DIE_PERSON, "use the directory's name as dml-export wrote it",
			"\"%s\" is no name of a table's directory", found->dir.path);
	find_permit(name, "remove its directory, and see who can write to the spool");
}
