#include "match.h"

#include "expand.sql.h"
#include "lost.sql.h"

#include <stdlib.h>
#include <string.h>

/* Whatever became of it: what can't be exported any more is refused by its name, not passed
 * over. */
#define IS_TRACKED "EXISTS (SELECT FROM dml.tracked AS t WHERE t.base = c.oid)"

/* Partitions go with their table, not for themselves. */
#define HAS_KEY                                                                                \
	"c.relpersistence = 'p' AND NOT c.relispartition"                                      \
	" AND EXISTS (SELECT FROM pg_catalog.pg_index AS x WHERE x.indrelid = c.oid"           \
	"    AND x.indisunique AND x.indisvalid AND NOT x.indisexclusion"                      \
	"    AND x.indpred IS NULL AND x.indexprs IS NULL"                                     \
	"    AND (x.indisprimary OR x.indnkeyatts = 1 AND EXISTS ("                            \
	"         SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid"           \
	"            AND a.attnum = x.indkey[0] AND a.attname = 'id' AND a.attnotnull"         \
	"            AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS v"                \
	"                 WHERE v.conrelid = c.oid AND v.contype = 'n' AND NOT v.convalidated" \
	"                    AND a.attnum = ANY (v.conkey))"                                   \
	"            AND NOT EXISTS (SELECT FROM pg_catalog.pg_collation AS l"                 \
	"                 WHERE l.oid IN (a.attcollation, x.indcollation[0])"                  \
	"                    AND a.attcollation <> x.indcollation[0]"                          \
	"                    AND NOT l.collisdeterministic))))"

#define ORDER " ORDER BY 1, 2, 3"

/* Which of the tables that a pattern matches are meant, and in which order. */
static char *rest(PGconn *conn, bool untracked)
{
	PGresult *res;
	bool made;

	if (!untracked)
		return mem_format(" AND " IS_TRACKED " %s" ORDER, lost_sql);
	res = pg_query_row(conn,
		"SELECT pg_catalog.to_regclass('dml.tracked') IS NOT NULL AS made", 0, NULL);
	made = pg_bool(res, 0, "made");
	PQclear(res);
	return mem_string(
		made ? " AND (" HAS_KEY " OR " IS_TRACKED ")" ORDER : " AND " HAS_KEY ORDER);
}

/* The server doesn't say which of them it can't read. */
static _Noreturn void not_understood(const struct opt_names *names)
{
	struct buf all = {0};

	for (size_t i = 0; i < names->patterns; i++)
		buf_format(&all, "%s\"%s\"", i > 0 ? " or " : "", names->pattern[i].text);
	die(DIE_USAGE, "write it as for psql's \\d, each bracket and parenthesis closed",
		"the server can't read %s as a pattern", all.data);
}

/* Both regular expressions of all patterns, as arrays. */
static PGresult *match(PGconn *conn, const struct opt_names *names, bool untracked)
{
	const char **schemas = mem_zero(names->patterns, sizeof *schemas);
	const char **tables = mem_zero(names->patterns, sizeof *tables);

	for (size_t i = 0; i < names->patterns; i++) {
		schemas[i] = names->pattern[i].schema;
		tables[i] = names->pattern[i].table;
	}

	char *meant = rest(conn, untracked);
	char *sql = mem_format("%s%s", expand_sql, meant);
	char *schema_array = pg_array(schemas, names->patterns);
	char *table_array = pg_array(tables, names->patterns);
	PGresult *res =
		pg_query_try(conn, sql, 2, (const char *const[]){schema_array, table_array});
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	if (state != NULL && strcmp(state, "2201B") == 0)
		not_understood(names);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		pg_die(conn, res, "cannot look for tables");
	free(sql);
	free(meant);
	free(schema_array);
	free(table_array);
	free(schemas);
	free(tables);
	return res;
}

bool match_patterns(
	PGconn *conn, const struct opt_names *given, bool untracked, struct opt_names *all)
{
	bool *matched = mem_zero(given->patterns, sizeof *matched);
	bool good = true;
	PGresult *res;

	if (given->patterns == 0) {
		free(matched);
		return true;
	}
	res = match(conn, given, untracked);
	for (int row = 0; row < PQntuples(res); row++) {
		struct name name = {.schema = mem_string(pg_text(res, row, "schema")),
			.table = mem_string(pg_text(res, row, "name"))};

		matched[pg_number(res, row, "i") - 1] = true;
		opt_add_name(all, &name);
	}
	for (size_t i = 0; i < given->patterns; i++) {
		if (matched[i])
			continue;
		complain(untracked ? "compare it with psql's \\d"
				   : "see dml-export --status for the tables that are tracked",
			"no table %s matches \"%s\"",
			untracked ? "with a key" : "that is tracked", given->pattern[i].text);
		good = false;
	}
	PQclear(res);
	free(matched);
	return good;
}
