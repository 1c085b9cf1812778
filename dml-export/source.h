/* The base tables of a call, as the source's catalogue describes them. */
#ifndef DML_EXPORT_SOURCE_H
#define DML_EXPORT_SOURCE_H

#include "die.h"
#include "name.h"
#include "options.h"
#include "own_schema.h"
#include "pg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_table {
	struct name name;
	char *label;  /* the name as SQL, for messages */
	bool refused; /* for good in this run; a message was printed */
	char *oid;
	char *base; /* quoted, schema-qualified */
	bool partitioned;
	bool owned;    /* by the role or one whose rights it has; not with SOURCE_TRACKED */
	bool row_kind; /* statement triggers would miss writes through a parent */
	bool heirs;    /* others inherit from it, or are its partitions */

	/* With SOURCE_TRACKED. */
	bool tracked;
	bool readable;
	bool shadow_readable;
	bool given_away; /* the shadow table, to another role than owns dml.tracked */
	char *shadow;    /* as base, of its shadow table; NULL if there is none */

	/* By describe_tables(). */
	char **key; /* columns */
	size_t keys;
	char *lineage_end; /* what this table adds to the lineage */
	char *columns;     /* digests, and what types are made of */
	char *triggers;    /* its file, and a digest */
	bool types;        /* columns are of types that somebody made */
	bool collated;  /* describe_closer(): how its key is sorted may depend on a collation */
	bool suspect;   /* it needs a closer look, whether anything changed or not */
	bool unchanged; /* its shadow has no row, not even a deleted one */
	uint64_t pages;
};

struct source_tables {
	struct source_table *table;
	size_t count;
	enum die_status status; /* the worst of what was refused */
	const struct pg_options *pg;
};

/* What a call needs of a table. */
enum source_need {
	SOURCE_NAME,    /* nothing: oid is NULL if it doesn't exist */
	SOURCE_TRACKED, /* that its kind can be replicated; patterns match tracked tables */
	SOURCE_BASE,    /* the same; patterns match tables with a key */
	SOURCE_OWNED,   /* the same as SOURCE_BASE, and that the role owns it */
};

/* True if schema dml has what --install puts there. */
bool source_installed(PGconn *conn, enum own_schema_use use);
/* Dies unless it has. */
void source_expect_installed(PGconn *conn, const struct options *o, enum own_schema_use use);

/* Looks the names up; refuses, one by one, what is missing or can't be replicated. */
void source_resolve(PGconn *conn, const struct options *o, enum source_need need,
	struct source_tables *tables);

/* "run dml-export -d … CALL -t TABLE", for a hint; the caller frees it.  Pasted as it stands,
 * it has to reach the same database. */
char *source_command(const struct pg_options *pg, const char *call, const char *table);

/* Prints what is wrong and marks the table; the hints to --install it and to make it logged are
 * completed with its name. */
void source_refuse(struct source_tables *tables, struct source_table *t, const char *hint,
	const char *wrong);
extern const char source_install_hint[];
extern const char source_logged_hint[];
extern const char source_owner_hint[];
extern const char source_given_away[]; /* what is wrong then */

/* After SOURCE_TRACKED: refuses those that aren't. */
void source_expect_tracked(struct source_tables *tables);
/* And those that can't be locked and read, or whose shadow table can't. */
void source_expect_shadows(struct source_tables *tables);

/* The oids of those that aren't refused, as an array; the caller frees it. */
char *source_oids(const struct source_tables *tables);

#endif
