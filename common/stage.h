/*
 * How a batch comes into being: the maildir(5) protocol, with a directory for a message.
 *
 *     state                 on disk                          next
 *     ------------------    -----------------------------    ---------------------------------
 *     staged                .NUMBER.tmp/, no manifest        more files, or discarded
 *     sealed                .NUMBER.tmp/, all of it          stage_sync(), then the database's
 *                                                            COMMIT, which decides
 *     published             NUMBER/                          never changes again
 *
 * A program that dies removes what it has staged, unless stage_keep_all() came before: from
 * then on only the database knows whether the batch counts, and the next run asks it. Needs the
 * lock of the table's directory.
 */
#ifndef DML_STAGE_H
#define DML_STAGE_H

#include "io.h"
#include "manifest.h"
#include "spool.h"

struct stage {
	const struct spool_dir *dir;
	char name[SPOOL_NAME_MAX];
	char *path;
	dev_t device; /* of the directory that was made: another may have its name since */
	ino_t inode;
};

/*
 * Makes the directory.  `dir` must outlive the stage.  Where something else has taken the
 * stage's place, the functions that use it die with DIE_PERSON.
 */
void stage_create(struct stage *s, const struct spool_dir *dir, uint64_t number);

/* Creates a file in it, mode 0600, and returns the descriptor. */
int stage_file(const struct stage *s, const char *name);

/* Gives `to` the file `name` of `from`, whose content `sum` tells: a hard link, or, where there
 * can be none, a copy. */
void stage_share(const struct stage *from, const struct stage *to, const char *name,
	const struct io_sum *sum);

/* Makes the directory, and its name in the table's, durable. */
void stage_sync(const struct stage *s);

/* From now on dying leaves all stages where they are. */
void stage_keep_all(void);

/* Gives the batch its name, durably.  False if the name is taken: the stage remains. */
bool stage_publish(const struct spool_dir *dir, uint64_t number);

/* Removes a stage with what an exporter puts in it.  One that holds anything else stays. */
void stage_discard(const struct spool_dir *dir, uint64_t number);

void stage_free(struct stage *s);

#endif
