/*
 * Names: of tables as SQL writes them, of tables as directories, and of targets.
 *
 * A directory's name is "users" for public.users and "sales.orders" in any other schema.
 * Within an identifier every byte of ASCII outside A-Z a-z 0-9 _ - is written %XX, so that
 * names can neither collide nor climb out.  A table of public whose whole name is ten digits
 * or more has its first digit written so too, for a directory of digits only is a batch.
 */
#ifndef DML_NAME_H
#define DML_NAME_H

#include "buf.h"

#include <stdbool.h>

/* The name of a table, both parts as the catalogue holds them. */
struct name {
	char *schema;
	char *table;
};

/* Who receives: HOST/DB. */
struct label {
	char *host;
	char *db;
	char *text; /* HOST/DB */
};

/*
 * Reads TABLE as SQL would: unquoted parts fold to lower case, without a schema it is public.
 * False if it isn't a table's name; nothing is allocated then.
 */
bool name_parse(const char *text, struct name *name);
/* One identifier, a column's, by the same rules.  The caller frees it; NULL if it isn't one. */
char *name_parse_identifier(const char *text);
void name_free(struct name *name);
bool name_equal(const struct name *a, const struct name *b);

/* schema.table as SQL would want it written: quoted where needed. */
void name_to_sql(struct buf *b, const struct name *name);

/* One identifier, %XX-encoded. */
void name_encode(struct buf *b, const char *identifier);
/* False unless `text` is what name_encode() writes. */
bool name_decode(struct buf *b, const char *text);

/* The directory's name.  False if it is too long for a file system (over 255 bytes). */
bool name_to_directory(struct buf *b, const struct name *name);
/* False unless `directory` is what name_to_directory() writes. */
bool name_from_directory(const char *directory, struct name *name);

/* schema.table, both encoded: as the manifest and the tracking state write it. */
void name_to_record(struct buf *b, const struct name *name);
bool name_from_record(const char *record, struct name *name);

/* Ten digits at least and nothing else: the name of a batch. */
bool name_is_number(const char *text);

/* HOST/DB of A-Z a-z 0-9 . _ -, neither beginning with a dot or a dash, nor like the name of a
 * batch.  False otherwise. */
bool label_parse(const char *text, struct label *label);
void label_free(struct label *label);

#endif
