/*
 * A directory for a test's files: made at the first call, removed by done_testing().  Names
 * are relative to it.  What can't be done to it ends the test program.
 */
#ifndef DML_SCRATCH_H
#define DML_SCRATCH_H

#include <stddef.h>

const char *scratch(void);
/* The caller frees the path. */
char *scratch_path(const char *name);

void scratch_file(const char *name, const void *data, size_t len);
/* All of a file; a NUL follows it.  The caller frees it. */
char *scratch_read(const char *name, size_t *len);
/* Makes a directory; its mode is `mode` whatever the umask. */
void scratch_directory(const char *name, unsigned mode);
void scratch_link(const char *name, const char *to);

/* What is there: 'd' a directory, 'f' a file, 'l' a symbolic link, '?' else, '-' nothing. */
char scratch_kind(const char *name);
/* Its permissions. */
unsigned scratch_mode(const char *name);

/* A file, or a directory with all that is in it. */
void scratch_remove(const char *name);
void scratch_remove_all(void);

#endif
