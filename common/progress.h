/* A line on a terminal that tells how far a long copy has come.  Elsewhere nothing is said. */
#ifndef DML_PROGRESS_H
#define DML_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* `wanted`: --progress, also where standard error is no terminal. */
void progress_init(bool wanted, bool quiet);

/* Shows it, at most a few times a second.  Cheap enough for every row; `rows` may be 0 where
 * only bytes are known, `total`, of bytes, where it isn't. */
void progress_show(const char *what, uint64_t rows, uint64_t bytes, uint64_t total);

/* Takes the line away. */
void progress_clear(void);

#endif
