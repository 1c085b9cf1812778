#include "encoding.h"

#include "batch.h"
#include "pg_error.h"

/* What comes from SQL_ASCII, bytes of no encoding, has to be in the database's: the server
 * would take them unseen. */
static const char set_sql[] =
	"SELECT pg_catalog.set_config('client_encoding',"
	"    COALESCE(NULLIF($1, 'SQL_ASCII'), pg_catalog.getdatabaseencoding()), false)";

char *encoding_of(const struct spool_dir *table, const struct spool_list *list)
{
	struct batch b;
	char *encoding;

	if (!batch_first(&b, table, list))
		return NULL;
	encoding = mem_string(b.manifest.encoding);
	batch_close(&b);
	return encoding;
}

bool encoding_try(PGconn *conn, const char *encoding)
{
	PGresult *res = pg_query_try(conn, set_sql, 1, &encoding);
	bool done = PQresultStatus(res) == PGRES_TUPLES_OK;

	if (!done && !pg_error_is_final(res))
		pg_die(conn, res, NULL);
	PQclear(res);
	return done;
}

void encoding_set(PGconn *conn, const char *encoding)
{
	if (!encoding_try(conn, encoding))
		die(DIE_PERSON, "use a target database whose encoding can hold the source's",
			"the server can't convert from the batch's encoding, %s",
			encoding != NULL ? encoding : "its own");
}

char *encoding_convert(PGconn *conn, const char *name, const char *encoding)
{
	const char *const values[] = {name, encoding};
	PGresult *res =
		pg_query_try(conn, "SELECT pg_catalog.convert_to($1, $2) AS name", 2, values);
	unsigned char *bytes;
	char *converted;
	size_t len;

	if (PQresultStatus(res) != PGRES_TUPLES_OK && !pg_error_is_final(res))
		pg_die(conn, res, NULL);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		die(DIE_PERSON,
			"give the table a name that the encoding of its source can hold",
			"\"%s\" can't be written in the batch's encoding, %s", name, encoding);
	bytes = PQunescapeBytea((const unsigned char *)pg_text(res, 0, "name"), &len);
	if (bytes == NULL)
		mem_exhausted();
	converted = mem_format("%.*s", (int)len, (const char *)bytes);
	PQfreemem(bytes);
	PQclear(res);
	return converted;
}
