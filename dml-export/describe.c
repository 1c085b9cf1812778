#include "describe.h"

#include "hash.h"
#include "track.h"

#include "closer.sql.h"
#include "confirm.sql.h"
#include "describe.sql.h"
#include "partitions.sql.h"
#include "types.sql.h"

#include <stdlib.h>
#include <string.h>

/* NULL, with `locked` set, if somebody keeps a table locked; dies of that if `locked` is NULL,
 * and of any other error. */
static PGresult *query(PGconn *conn, const char *sql, const char *value, bool *locked)
{
	PGresult *res = pg_query_try(conn, sql, 1, &value);

	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		return res;
	if (locked != NULL && pg_lock_unavailable(res)) {
		PQclear(res);
		*locked = true;
		return NULL;
	}
	pg_die(conn, res, NULL);
}

/* A row for each of `oids`, which it frees, in their order; dies if one of the tables has gone.
 * `locked` as in query(). */
static PGresult *ask(PGconn *conn, const char *sql, char *oids, size_t count, bool *locked)
{
	PGresult *res = query(conn, sql, oids, locked);

	free(oids);
	if (res != NULL && (size_t)PQntuples(res) != count)
		die(DIE_AGAIN, "run it again", "a table was dropped just now");
	return res;
}

static PGresult *ask_all(PGconn *conn, const struct source_tables *tables, bool *locked)
{
	size_t count = 0;

	for (size_t i = 0; i < tables->count; i++)
		count += !tables->table[i].refused;
	return ask(conn, describe_sql, source_oids(tables), count, locked);
}

/* What a flag of describe.sql's or closer.sql's says that --install mends, where it is `bad`.
 */
struct flaw {
	const char *name;
	bool bad;
	const char *wrong;
};

/* The cause first that hides the others. */
static const struct flaw flaws[] = {
	{"foreign_owner", true, "has another owner now than the functions of its triggers"},
	{"given_away", true, source_given_away},
	{"powerless", true,
		"has triggers whose functions lack a right: USAGE on schema dml or INSERT on "
		"its shadow table"},
	{"noted", false, "has an unlogged shadow table, which a crash empties"},
	{"closed", true, "has a shadow table with row security, which lets nothing be noted"},
	{"passed_over", true, "is written through a parent, which fires no statement triggers"},
};
static const struct flaw closer_flaws[] = {
	{"hooked", true, "has a trigger or rule on its shadow table, which could drop changes"},
	{"has_key", false,
		"has lost its key: a column was dropped, renamed or may be NULL now, or the "
		"unique index is gone"},
	{"blocked", true,
		"has statement triggers, and a foreign table inherits from it: no UPDATE or "
		"DELETE passes"},
};

static const char *flaw_of(const PGresult *res, int row, const struct flaw *flaw, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pg_bool(res, row, flaw[i].name) == flaw[i].bad)
			return flaw[i].wrong;
	return NULL;
}

static const char *closer_flaw(const PGresult *res, int row)
{
	return flaw_of(res, row, closer_flaws, sizeof closer_flaws / sizeof *closer_flaws);
}

static char *misses_changes(const char *triggers)
{
	return mem_format("misses changes: disabled, dropped or not as it was made: trigger %s",
		triggers);
}

/* What --install would mend, as text that the caller frees; NULL if nothing. */
static char *mended_by_install(const PGresult *res, int row)
{
	if (!pg_bool(res, row, "tracked") || pg_is_null(res, row, "shadow"))
		return mem_string("is tracked no more");
	if (pg_number(res, row, "version") != TRACK_VERSION)
		return mem_string("is tracked by another version's triggers");
	if (!pg_is_null(res, row, "missing"))
		return misses_changes(pg_text(res, row, "missing"));

	const char *wrong = flaw_of(res, row, flaws, sizeof flaws / sizeof *flaws);

	return wrong != NULL ? mem_string(wrong) : NULL;
}

static void judge(
	struct source_tables *tables, struct source_table *t, const PGresult *res, int row)
{
	char *wrong = mended_by_install(res, row);

	if (wrong != NULL)
		source_refuse(tables, t, source_install_hint, wrong);
	else if (!pg_bool(res, row, "durable"))
		source_refuse(tables, t, source_logged_hint, "is unlogged now");
	else if (pg_bool(res, row, "filtered"))
		source_refuse(tables, t, "connect as its owner or as a role with BYPASSRLS",
			"has row security that would hide rows from this role");
	else if (pg_is_null(res, row, "columns"))
		source_refuse(
			tables, t, "name a table with columns", "has no column to export");
	free(wrong);
}

/* Made here: a server that has to keep to FIPS 140 refuses md5(). */
static const char *digest(const char *text, char sha256[HASH_TEXT])
{
	hash_of(text, strlen(text), sha256);
	return sha256;
}

static void take(struct source_table *t, const PGresult *res, int row)
{
	char columns[HASH_TEXT], xmins[HASH_TEXT];

	if (strcmp(t->base, pg_text(res, row, "base")) != 0 ||
		strcmp(t->shadow, pg_text(res, row, "shadow")) != 0)
		die(DIE_AGAIN, "run it again", "table %s was renamed just now", t->label);
	free(t->columns);
	t->columns = mem_format("%s/%s", digest(pg_text(res, row, "columns"), columns),
		digest(pg_text(res, row, "xmins"), xmins));
	free(t->triggers);
	t->triggers =
		mem_format("%s/%s", pg_text(res, row, "file"), pg_text(res, row, "triggers"));
	free(t->lineage_end);
	t->lineage_end = mem_format("%s/%s", t->oid, pg_text(res, row, "shadow_oid"));
	pg_array_free(t->key, t->keys);
	t->key = pg_array_parse(pg_text(res, row, "key"), &t->keys);
	t->unchanged = pg_bool(res, row, "unchanged");
	t->pages = pg_number(res, row, "pages");
	t->types = pg_bool(res, row, "made");
	t->suspect = pg_bool(res, row, "suspect");
}

/* What a type's values look like may change under them: ALTER TYPE … RENAME VALUE touches no
 * row, and yet each reads otherwise. */
static void describe_types(PGconn *conn, struct source_tables *tables)
{
	char *oids = source_oids(tables);
	const char *const values[] = {oids};
	PGresult *res = pg_query(conn, types_sql, 1, values);
	int row = 0;

	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];
		char *columns;

		if (t->refused)
			continue;
		columns = mem_format("%s/%s", t->columns, pg_text(res, row, "parts"));
		mem_replace(&t->columns, columns);
		free(columns);
		row++;
	}
	free(oids);
	PQclear(res);
}

static PGresult *ask_of_partitions(PGconn *conn, const struct source_table *t, bool *locked)
{
	const char *const oid[] = {t->oid};
	char *array = pg_array(oid, 1);
	PGresult *res = query(conn, partitions_sql, array, locked);

	free(array);
	return res;
}

static void describe_partitions(
	PGconn *conn, struct source_tables *tables, struct source_table *t)
{
	PGresult *res = ask_of_partitions(conn, t, NULL);

	if (!pg_is_null(res, 0, "missing")) {
		char *wrong = misses_changes(pg_text(res, 0, "missing"));

		source_refuse(tables, t, source_install_hint, wrong);
		free(wrong);
	} else if (!pg_is_null(res, 0, "bad")) {
		char *wrong = mem_format("has a partition that is unlogged or foreign: %s",
			pg_text(res, 0, "bad"));

		source_refuse(tables, t, "detach it, or make it an ordinary one", wrong);
		free(wrong);
	} else {
		char *triggers = mem_format("%s/%s", t->triggers, pg_text(res, 0, "state"));

		mem_replace(&t->triggers, triggers);
		t->pages = pg_number(res, 0, "pages");
		free(triggers);
	}
	PQclear(res);
}

/* All after the file, once the partitions' are there, too. */
static void digest_triggers(struct source_table *t)
{
	size_t file = strcspn(t->triggers, "/");
	char sha256[HASH_TEXT];
	char *digested = mem_format(
		"%.*s/%s", (int)file, t->triggers, digest(t->triggers + file + 1, sha256));

	free(t->triggers);
	t->triggers = digested;
}

void describe_tables(PGconn *conn, struct source_tables *tables)
{
	PGresult *res = ask_all(conn, tables, NULL);
	bool types = false;
	int row = 0;

	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];

		if (t->refused)
			continue;
		judge(tables, t, res, row);
		if (!t->refused)
			take(t, res, row);
		types |= !t->refused && t->types;
		row++;
	}
	PQclear(res);
	if (types)
		describe_types(conn, tables);
	for (size_t i = 0; i < tables->count; i++)
		if (!tables->table[i].refused && tables->table[i].partitioned)
			describe_partitions(conn, tables, &tables->table[i]);
	for (size_t i = 0; i < tables->count; i++)
		if (!tables->table[i].refused)
			digest_triggers(&tables->table[i]);
}

void describe_closer(PGconn *conn, struct source_tables *tables, const bool *wanted)
{
	const char **oid = mem_zero(tables->count, sizeof *oid);
	struct source_table **table = mem_zero(tables->count, sizeof(struct source_table *));
	size_t count = 0;

	for (size_t i = 0; i < tables->count; i++) {
		struct source_table *t = &tables->table[i];

		if (t->refused || !(wanted[i] || t->suspect))
			continue;
		oid[count] = t->oid;
		table[count++] = t;
	}
	if (count > 0) {
		PGresult *res = ask(conn, closer_sql, pg_array(oid, count), count, NULL);

		for (size_t i = 0; i < count; i++) {
			const char *wrong = closer_flaw(res, (int)i);

			if (wrong != NULL)
				source_refuse(tables, table[i], source_install_hint, wrong);
			table[i]->collated = pg_bool(res, (int)i, "key_collated");
		}
		PQclear(res);
	}
	free(table);
	free(oid);
}

/* All, if that can't be told. */
static void take_concerned(const PGresult *res, int row, const struct source_table *tables,
	size_t count, bool *wrong)
{
	bool told = !pg_is_null(res, row, "concerned");
	const char *oid = pg_text(res, row, "concerned");

	for (size_t i = 0; i < count; i++)
		if (!told || (tables[i].oid != NULL && strcmp(tables[i].oid, oid) == 0))
			wrong[i] = true;
}

bool describe_confirm(PGconn *conn, const struct source_table *tables, size_t count,
	const bool *read, bool *wrong)
{
	const char **oid = mem_zero(count, sizeof *oid);
	const char **base = mem_zero(count, sizeof *base);
	size_t locked = 0;

	for (size_t i = 0; i < count; i++) {
		if (tables[i].oid == NULL)
			continue;
		oid[locked] = tables[i].oid;
		base[locked++] = read[i] ? tables[i].base : "";
	}

	char *oids = pg_array(oid, locked), *bases = pg_array(base, locked);
	const char *const values[] = {oids, bases};
	PGresult *res = pg_query(conn, confirm_sql, 2, values);
	bool meant = PQntuples(res) == 0;

	for (int row = 0; row < PQntuples(res); row++) {
		take_concerned(res, row, tables, count, wrong);
		complain("run it again", "table %s %s while the export ran",
			pg_text(res, row, "name"),
			pg_bool(res, row, "renamed")
				? "was renamed"
				: "took another's place or became a partition");
	}
	PQclear(res);
	free(bases);
	free(oids);
	free(base);
	free(oid);
	return meant;
}

static bool are_partitions_intact(PGconn *conn, const struct source_table *table, bool *locked)
{
	PGresult *res = ask_of_partitions(conn, table, locked);
	bool intact = res != NULL && pg_is_null(res, 0, "missing");

	PQclear(res);
	return intact;
}

static bool has_closer_flaw(PGconn *conn, const struct source_table *table, bool *locked)
{
	const char *const oid[] = {table->oid};
	PGresult *res = ask(conn, closer_sql, pg_array(oid, 1), 1, locked);
	bool flawed = res == NULL || closer_flaw(res, 0) != NULL;

	PQclear(res);
	return flawed;
}

bool describe_is_intact(PGconn *conn, const struct source_table *table, bool *locked)
{
	struct source_table copy = *table;
	const struct source_tables one = {.table = &copy, .count = 1};
	PGresult *res = ask_all(conn, &one, locked);
	char *wrong = res != NULL ? mended_by_install(res, 0) : NULL;
	bool intact = res != NULL && wrong == NULL && !has_closer_flaw(conn, table, locked) &&
		      (!table->partitioned || are_partitions_intact(conn, table, locked));

	free(wrong);
	PQclear(res);
	return intact;
}
