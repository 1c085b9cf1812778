#include "uninstall.h"

#include "source.h"
#include "track.h"

#include "unschema.sql.h"

#include <stdlib.h>
#include <string.h>

/* What is tracked under the table's name: those that were dropped first, for the one that has
 * the name now is not what --status says it of.  NULL if nothing is. */
static PGresult *installed(PGconn *conn, const struct source_table *t)
{
	const struct source_table gone = {.name = t->name};
	PGresult *old = track_installed(conn, &gone);

	return old != NULL ? old : track_installed(conn, t);
}

static bool is_gone(const struct source_table *t, const PGresult *old)
{
	return t->oid == NULL || strcmp(pg_text(old, 0, "base"), t->oid) != 0;
}

static uint64_t count_of(const PGresult *old)
{
	return (uint64_t)PQntuples(old);
}

static void tell(const struct options *o, const struct source_table *t, const PGresult *old)
{
	if (t->oid != NULL && is_gone(t, old))
		warn("the earlier table %s, which was dropped, is tracked no more; the one "
		     "that is there now stays as it is",
			t->label);
	else if (!o->print_sql)
		note("%s is tracked no more", t->label);
}

static uint64_t count_tracked(PGconn *conn)
{
	PGresult *res = pg_query_row(
		conn, "SELECT pg_catalog.count(*) AS tables FROM dml.tracked", 0, NULL);
	uint64_t count = pg_number(res, 0, "tables");

	PQclear(res);
	return count;
}

/* A transaction for this table, or for all of its name that were dropped.  With the last one
 * goes what all have in common. */
static enum die_status uninstall_table(PGconn *conn, const struct options *o,
	const struct source_table *t, const PGresult *old, bool is_last)
{
	struct buf begin = {0}, script = {0};
	enum die_status status;

	buf_string(&begin, track_begin);
	if (!is_gone(t, old))
		buf_format(&begin, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;\n", t->base);
	for (int row = 0; row < PQntuples(old); row++)
		buf_format(&script, "%s\n%s\n", pg_text(old, row, "script"),
			pg_text(old, row, "forget"));
	if (is_last)
		buf_string(&script, unschema_sql);
	buf_string(&script, track_commit);
	status = track_run_or_print(conn, o, begin.data, t->label);
	if (status == DIE_DONE) {
		track_expect_no_strangers(conn, o);
		status = track_run_or_print(conn, o, script.data, t->label);
	}
	if (status == DIE_DONE)
		tell(o, t, old);
	buf_free(&script);
	buf_free(&begin);
	return status;
}

/* Its triggers still write to a shadow table that no export knows. */
static enum die_status drop_stray(
	PGconn *conn, const struct options *o, const struct source_table *t, const char *stray)
{
	char *script = mem_format("%s%s%s", track_begin, stray, track_commit);
	enum die_status status = track_run_or_print(conn, o, script, t->label);

	if (status == DIE_DONE && !o->print_sql)
		warn("table %s is not tracked, but had our triggers, "
		     "as a dump brings them along: they are dropped",
			t->label);
	free(script);
	return status;
}

/* That a table isn't tracked is what was asked for; one that isn't even there was mistyped. */
static enum die_status not_tracked(
	PGconn *conn, const struct options *o, const struct source_table *t)
{
	if (t->oid != NULL) {
		char *stray = track_stray(conn, t);
		enum die_status status = DIE_DONE;

		if (*stray != '\0')
			status = drop_stray(conn, o, t, stray);
		else
			warn("table %s is not tracked", t->label);
		free(stray);
		return status;
	}
	complain("see dml-export --status for the tables that are", "table %s is not tracked",
		t->label);
	return DIE_PERSON;
}

/* What is printed may be for somebody else to run. */
static void refuse_others_tables(
	const struct options *o, struct source_tables *tables, PGresult *const *old)
{
	for (size_t i = 0; i < tables->count && !o->print_sql; i++) {
		struct source_table *t = &tables->table[i];

		if (old[i] != NULL && !is_gone(t, old[i]) && !t->owned)
			source_refuse(tables, t, source_owner_hint, "belongs to another role");
	}
}

static void uninstall_all(PGconn *conn, const struct options *o, struct source_tables *tables)
{
	PGresult **old = mem_zero(tables->count, sizeof(PGresult *));
	uint64_t left = count_tracked(conn);

	/* Asked for first: with the last table goes what could be asked. */
	for (size_t i = 0; i < tables->count; i++)
		old[i] = installed(conn, &tables->table[i]);
	refuse_others_tables(o, tables, old);
	for (size_t i = 0; i < tables->count; i++) {
		const struct source_table *t = &tables->table[i];
		enum die_status status = t->refused       ? DIE_PERSON
					 : old[i] != NULL ? uninstall_table(conn, o, t, old[i],
								    left == count_of(old[i]))
							  : not_tracked(conn, o, t);

		if (old[i] != NULL && status == DIE_DONE)
			left -= count_of(old[i]);
		tables->status = die_worst(tables->status, status);
		PQclear(old[i]);
	}
	free(old);
}

enum die_status uninstall_run(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	struct source_tables tables = {0};

	track_expect_alone(conn, o);
	if (source_installed(conn, OWN_WRITE)) {
		if (!o->print_sql)
			own_schema_expect_owner(conn, "tracked");
		track_expect_no_strangers(conn, o);
		source_resolve(conn, o, SOURCE_NAME, &tables);
		uninstall_all(conn, o, &tables);
	} else {
		note("nothing is tracked in database \"%s\"", PQdb(conn));
	}
	pg_disconnect(conn);
	opt_close_stdout();
	return tables.status;
}
