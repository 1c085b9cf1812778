#include "target_ddl.h"

#include "source.h"
#include "track.h"

#include "target_ddl.sql.h"

#include <stdio.h>
#include <stdlib.h>

/* --key is for --install, so the hint is how to say it there. */
static enum die_status no_key(
	const struct options *o, const struct source_table *t, const PGresult *ddl)
{
	bool spare = PQntuples(ddl) == 1 && !pg_is_null(ddl, 0, "spare");
	struct buf call = {0};
	char *hint;

	buf_string(&call, "--install");
	opt_add_option(&call, "--key", spare ? pg_text(ddl, 0, "spare") : NULL);
	hint = spare ? source_command(&o->pg, call.data, t->label)
		     : mem_string("add a primary key");
	buf_free(&call);

	complain(hint, "table %s has no %s", t->label,
		spare ? "primary key, and is not tracked by another" : "key");
	free(hint);
	return DIE_PERSON;
}

/* The statement of one table, on standard output.  Before the first stands the encoding of them
 * all, for whoever reads them speaks his own. */
static enum die_status print_ddl(PGconn *conn, const struct options *o,
	const struct source_table *t, bool tracked, bool *begun)
{
	PGresult *old = tracked ? track_installed(conn, t) : NULL;
	const char *const values[] = {t->oid, old != NULL ? pg_text(old, 0, "key") : NULL};
	PGresult *res = pg_query_try(conn, target_ddl_sql, 2, values);
	enum die_status status = DIE_DONE;

	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		if (PQstatus(conn) != CONNECTION_OK)
			pg_die(conn, res, t->label);
		status = pg_complain(conn, res, t->label);
	} else if (PQntuples(res) != 1 || !pg_bool(res, 0, "has_key")) {
		status = no_key(o, t, res);
	} else {
		if (!*begun)
			printf("SET client_encoding = '%s';\n",
				pg_encoding_to_char(PQclientEncoding(conn)));
		*begun = true;
		fputs(pg_text(res, 0, "ddl"), stdout);
	}
	PQclear(res);
	PQclear(old);
	return status;
}

enum die_status target_ddl_run(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	bool tracked = source_installed(conn, OWN_READ);
	struct source_tables tables;
	bool begun = false;

	source_resolve(conn, o, SOURCE_BASE, &tables);
	track_refuse_names(&tables);
	for (size_t i = 0; i < tables.count; i++)
		if (!tables.table[i].refused)
			tables.status = die_worst(tables.status,
				print_ddl(conn, o, &tables.table[i], tracked, &begun));
	pg_disconnect(conn);
	opt_close_stdout();
	return tables.status;
}
