#include "made.h"

#include "buf.h"

#include "made.sql.h"

#include <string.h>

char *made_load(PGconn *conn, const char *oid, const char *names)
{
	const char *const values[] = {oid, names};
	PGresult *res = pg_query_row(conn, made_sql, 2, values);
	char *parts = mem_string(pg_text(res, 0, "parts"));

	PQclear(res);
	return parts;
}

static bool is_among(const char *part, char *const *there, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(there[i], part) == 0)
			return true;
	return false;
}

bool made_has_all(const char *parts, const char *of)
{
	size_t counts[2];
	char **all = pg_array_parse(of, &counts[0]);
	char **these = pg_array_parse(parts, &counts[1]);
	bool has = true;

	for (size_t i = 0; i < counts[1]; i++)
		has = has && is_among(these[i], all, counts[0]);
	pg_array_free(all, counts[0]);
	pg_array_free(these, counts[1]);
	return has;
}
