#include "refers.h"

#include "refers.sql.h"

#include <string.h>

static const char *field(const PGresult *res, int code)
{
	const char *text = PQresultErrorField(res, code);

	return text != NULL ? text : "";
}

char *refers_lacking(PGconn *conn, const struct target *t, const PGresult *res)
{
	const char *const values[] = {t->oid, field(res, PG_DIAG_SCHEMA_NAME),
		field(res, PG_DIAG_TABLE_NAME), field(res, PG_DIAG_CONSTRAINT_NAME)};
	PGresult *found;
	char *table = NULL;

	if (strcmp(field(res, PG_DIAG_SQLSTATE), "23503") != 0)
		return NULL;
	/* A transaction that has failed answers nothing. */
	pg_exec(conn, "ROLLBACK AND CHAIN", "ROLLBACK");
	found = pg_query(conn, refers_sql, 4, values);
	if (PQntuples(found) == 1)
		table = mem_string(pg_text(found, 0, "other"));
	PQclear(found);
	return table;
}
