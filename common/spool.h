/*
 * The spool: a tree of directories that is opened once at its root and walked one component
 * at a time, never through a symbolic link.
 *
 *     SPOOL/HOST/DB/TABLE/NUMBER/{columns,ids,data.gz,manifest}
 *
 * In a table's directory stand
 *
 *     0000000042          a batch, published: it never changes
 *     .0000000042.tmp     staged by an exporter: see stage.h
 *     .0000000042.done    applied, half removed by an importer: see batch.h
 *
 * Other names that begin with a dot are nobody's (rsync's), all others are strangers.
 * Nothing here knows of a database.
 */
#ifndef DML_SPOOL_H
#define DML_SPOOL_H

#include "die.h"
#include "name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct spool_dir {
	int fd;
	char *path;  /* as the user would write it */
	uid_t owner; /* of the directory that spool_open() opened on the way here */
};

enum spool_kind { SPOOL_BATCH, SPOOL_STAGE, SPOOL_DONE, SPOOL_DOT, SPOOL_OTHER };

struct spool_entry {
	enum spool_kind kind;
	uint64_t number; /* of SPOOL_BATCH, SPOOL_STAGE, SPOOL_DONE */
	char *name;
};

struct spool_list {
	struct spool_entry *entry;
	size_t count;
	size_t more_dots, more_others; /* names of these kinds that were left out */
};

enum {
	SPOOL_NAME_MAX = 32,        /* of a batch in any of its states, with the NUL */
	SPOOL_STRANGERS_MAX = 1000, /* names of either kind that spool_list() keeps */
};

/*
 * Opens a directory that the user named; symbolic links on the way are the user's own
 * business.  Dies if it is missing, no directory, or others can write to it.
 */
void spool_open(struct spool_dir *dir, const char *path);
/* The same, but where it would die, it prints a message and returns the exit status; nothing is
 * open then. */
enum die_status spool_try(struct spool_dir *dir, const char *path);

/* False, with a message, if what stands at `path` in `dir` can be written by anybody, or
 * belongs to anybody but us, root and the owner of what spool_open() opened. */
bool spool_trusts(const struct spool_dir *dir, const char *path, const struct stat *st);

/*
 * Opens the directory `name` in `parent`.  False if there is none, or no directory but
 * something else.  Dies where spool_open() does, and if it belongs to anybody but us, root and
 * the owner of what spool_open() opened.
 */
bool spool_enter(const struct spool_dir *parent, const char *name, struct spool_dir *dir);

/* As spool_enter(), for looking around: what can't or must not be opened is told, `status` is
 * the worse for it and the answer is false.  What may not be opened and has no name that could
 * stand in a spool, as lost+found, is only warned of. */
bool spool_peek(const struct spool_dir *parent, const char *name, struct spool_dir *dir,
	enum die_status *status);

/* Lets the process hold a directory open for each table of a large spool. */
void spool_allow_many(void);

/* Makes a directory, mode 0700 whatever the umask.  False with errno. */
bool spool_make(const struct spool_dir *parent, const char *name);

/*
 * Opens SPOOL/HOST/DB, making what is missing of it, durably, mode 0700.  If it can't be opened
 * or must not, or nothing can be written to its file system, read-only or full, it prints a
 * message and returns the exit status; nothing is open then.
 */
enum die_status spool_enter_target(
	const struct spool_dir *spool, const struct label *label, struct spool_dir *dir);

/* Opens the directory of a table in it, in which names can be changed; made if missing, and
 * durable as soon as `target` is fsynced.  Answers as spool_enter_target() does. */
enum die_status spool_enter_table(
	const struct spool_dir *target, const struct name *table, struct spool_dir *dir);

void spool_close(struct spool_dir *dir);

/* False if another process holds the lock.  It ends with spool_close(), or when no process has
 * the directory open from where spool_open() or the like opened it: a fork shares it. */
bool spool_lock(const struct spool_dir *dir);

/* Opens the same directory once more, for a lock of this process's own. */
void spool_open_again(const struct spool_dir *dir, struct spool_dir *again);

/* False with errno if names can't be changed in it: read-only, or no permission. */
bool spool_may_rename(const struct spool_dir *dir);

/*
 * Everything but "." and "..", sorted by kind, number and name.  Of what is no batch, whose
 * names anybody may have put there, only so many are kept, and the others counted.
 */
void spool_list(const struct spool_dir *dir, struct spool_list *list);
/* The same, for looking around: what can't be read is told, `status` is the worse for it, the
 * list is empty and the answer is false.  Of a directory of the `tree` above the tables': all
 * that may be directories, or links, and are named as one of it, and nothing else. */
bool spool_list_peek(const struct spool_dir *dir, struct spool_list *list, bool tree,
	enum die_status *status);
/* Says what in a table's directory is no batch. */
void spool_warn_of_strangers(const struct spool_dir *dir, const struct spool_list *list);
void spool_list_free(struct spool_list *list);

/* True if a published batch can be called so; then with its number. */
bool spool_is_batch(const char *name, uint64_t *number);

/* The name of a batch that is published, staged or done. */
void spool_name(char name[SPOOL_NAME_MAX], enum spool_kind kind, uint64_t number);

/* Renames within `dir`; never replaces.  0, or the error: EEXIST if the new name exists. */
int spool_move(const struct spool_dir *dir, const char *from, const char *to);
/* The same; false if the new name exists, and dies of anything else. */
bool spool_rename(const struct spool_dir *dir, const char *from, const char *to);

#endif
