#include "strangers.h"

#include "nobody.sql.h"
#include "strangers.sql.h"

static bool is_nobody_there(PGconn *conn, const char *tables)
{
	const char *const values[] = {tables};
	PGresult *res = pg_query_row(conn, nobody_sql, 1, values);
	bool nobody = pg_bool(res, 0, "nobody");

	PQclear(res);
	return nobody;
}

void strangers_expect_none(PGconn *conn, const char *tables, const char *what, const char *hint)
{
	const char *const values[] = {tables};
	PGresult *res;

	if (is_nobody_there(conn, tables))
		return;
	res = pg_query(conn, strangers_sql, 1, values);
	if (PQntuples(res) > 0)
		die(DIE_PERSON, hint,
			"a superuser's rights would be in the hands of role \"%s\": %s is "
			"written with the help of %s, which is that role's",
			pg_text(res, 0, "role"), what, pg_text(res, 0, "object"));
	PQclear(res);
}
