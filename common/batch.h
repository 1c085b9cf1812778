/*
 * A batch as a reader finds it: a directory in the spool that somebody shipped.
 *
 * Nothing in it is trusted until it was hashed as it was read.  Only regular files are
 * opened, and never through a link; a FIFO doesn't block.
 */
#ifndef DML_BATCH_H
#define DML_BATCH_H

#include "columns.h"
#include "io.h"
#include "manifest.h"
#include "spool.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* Identifies a file that was opened.  Not by its inode, whose number some file systems make up
 * at each lookup, nor by its ctime, which the removal of another link changes. */
struct batch_seen {
	bool known;
	off_t size;
	struct timespec time; /* of its last change */
};

struct batch {
	struct spool_dir dir;
	uint64_t number; /* as the directory's name says */
	struct manifest manifest;
	struct batch_seen seen[FILE_COUNT + 1]; /* the last is the manifest's */
};

enum batch_state {
	BATCH_GOOD, /* the manifest is whole, and the files are there in their full length */
	BATCH_GONE, /* there is no such directory */
	BATCH_NOT_READY, /* a file is missing or short: still on its way */
	BATCH_REFUSED,   /* no later shipping makes it good */
	BATCH_NEWER,     /* of a format that this program doesn't know */
};

/*
 * Opens batch `number` of a table's directory, published or, for an exporter's recovery,
 * staged.  The manifest's number must be the directory's; what else it says is for the caller
 * to judge.  Unless the answer is BATCH_GOOD nothing is left open, but for BATCH_REFUSED and
 * BATCH_NEWER `why` says what was wrong, a string that the caller frees.
 */
enum batch_state batch_open(struct batch *b, const struct spool_dir *table,
	enum spool_kind kind, uint64_t number, char **why);
/* The same of a published batch, for whom it doesn't matter why. */
enum batch_state batch_peek(struct batch *b, const struct spool_dir *table, uint64_t number);
/* Opens the first published one of a table's list that is all here; false if none is. */
bool batch_first(struct batch *b, const struct spool_dir *table, const struct spool_list *list);
/* As batch_open(), but whether its files are there and as long as announced is not asked. */
enum batch_state batch_open_manifest(struct batch *b, const struct spool_dir *table,
	enum spool_kind kind, uint64_t number, char **why);
void batch_close(struct batch *b);

/* Opens one of its files.  Dies unless it is a regular file. */
int batch_file(const struct batch *b, enum manifest_file file);

/* The name of one of its files, for messages; the caller frees it. */
char *batch_file_name(const struct batch *b, enum manifest_file file);

/* Reads `columns` and checks it against the manifest. */
void batch_columns(const struct batch *b, struct columns *columns);

/* Dies with DIE_PERSON if what was read isn't what the manifest announced. */
void batch_expect(const struct batch *b, enum manifest_file file, const struct io_sum *read);

/* Says which other files than its own the directory holds. */
void batch_warn_of_strangers(const struct batch *b);

/*
 * Removes a batch that was opened: renamed to .NUMBER.done first, so that no other run takes
 * the rest for a batch that is on its way.  Needs the directory's lock.  Where that
 * can't be, it prints a message and returns the exit status: DIE_NOT_NOW if another batch
 * stands in its place by now. What came into its directory meanwhile is not removed: it is put
 * back or, where there is one of its name again, kept as .NUMBER.kept.N, which is nobody's.
 *
 * Two things remain that would be removed, and need a full batch then: what comes in the
 * instant between the first look and the rename, if the run is killed in the next, before it
 * looks again; and what somebody ships who has gone into the batch's directory itself, and
 * writes there after the rename and the look.
 */
enum die_status batch_remove(const struct spool_dir *table, const struct batch *b);
/* Goes on with what a run that died left of that. */
void batch_remove_rest(const struct spool_dir *table, uint64_t number);

#endif
