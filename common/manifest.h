/*
 * The manifest: what a batch holds and where in its chain it stands.  Encoder and decoder
 * side by side; the format is dml-spool(5)'s.
 *
 * The decoder takes exactly what the encoder writes: every line, in that order, with
 * canonical numbers.  The last line is the seal, the SHA-256 of all lines before it.
 */
#ifndef DML_MANIFEST_H
#define DML_MANIFEST_H

#include "buf.h"
#include "hash.h"
#include "io.h"
#include "name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MANIFEST_FORMAT = 1,
	MANIFEST_MAX = 1024 * 1024, /* bytes */
	MANIFEST_UUID = 37,
	MANIFEST_KEY_MAX = 32, /* columns of an index, PostgreSQL's INDEX_MAX_KEYS */
};

enum manifest_scope { SCOPE_CHANGES, SCOPE_FULL };

/* The files of a batch that the manifest speaks of, in the order of its lines. */
enum manifest_file { FILE_COLUMNS, FILE_IDS, FILE_DATA, FILE_COUNT };

/* Where a batch comes from. */
struct manifest_source {
	char *system;      /* the cluster's system identifier, decimal */
	uint32_t timeline; /* of its WAL; a point-in-time recovery or failover begins a new one
			    */
	char *database;
};

/* True if both are one database of one cluster, on whatever timeline. */
bool manifest_same_source(const struct manifest_source *a, const struct manifest_source *b);

struct manifest {
	char *target; /* HOST/DB, for whom it was made */
	struct name table;
	char **key; /* columns, in the order of `ids` */
	size_t keys;
	enum manifest_scope scope;
	uint64_t number;
	uint64_t base;             /* the chain's number before this one; 0 at its start */
	char base_seal[HASH_TEXT]; /* the seal of that batch; "-" at the chain's start */
	char chain[MANIFEST_UUID];
	char retires[MANIFEST_UUID]; /* the chain that this one replaces; "-" if none */
	uint64_t retires_number;     /* the last of that chain */
	struct manifest_source source;
	uint32_t group;      /* how many tables of the run got a batch for this target */
	char *snapshot;      /* pg_snapshot: xmin:xmax:xip,… */
	char *time;          /* of the snapshot, ISO 8601, UTC */
	char *encoding;      /* of the names and of all files */
	uint64_t ids;        /* lines of `ids` */
	uint64_t rows;       /* lines of `data.gz` */
	uint64_t data_bytes; /* of `data.gz`, inflated */
	struct io_sum file[FILE_COUNT];
	char seal[HASH_TEXT];
};

enum manifest_state {
	MANIFEST_GOOD,
	MANIFEST_TORN,    /* no seal at its end: still on its way */
	MANIFEST_DAMAGED, /* sealed, but other bytes than were sealed */
	MANIFEST_NEWER,   /* of a later format than this program's */
	MANIFEST_FOREIGN, /* sealed, but no manifest of ours; `wrong` names the line */
};

/* "columns", "ids", "data.gz". */
const char *manifest_file_name(enum manifest_file file);

const char *manifest_scope_name(enum manifest_scope scope);

/* Appends the text and fills in m->seal. */
void manifest_encode(struct buf *b, struct manifest *m);

/* `m` is {0} before and, unless the answer is MANIFEST_GOOD, after. `wrong` may be NULL. */
enum manifest_state manifest_decode(
	const char *text, size_t len, struct manifest *m, const char **wrong);

void manifest_free(struct manifest *m);

/* The xmin and xmax of a snapshot's text.  False if it isn't one. */
bool manifest_snapshot_bounds(const char *snapshot, uint64_t *xmin, uint64_t *xmax);

/* When a batch was read, as its source counts: by timeline, then by the xmax of its snapshot,
 * which only grows within one. */
struct manifest_moment {
	uint32_t timeline;
	uint64_t xmax;
};

struct manifest_moment manifest_moment(const struct manifest *m);
/* True if `a` was later than `b`. */
bool manifest_is_later(struct manifest_moment a, struct manifest_moment b);

#endif
