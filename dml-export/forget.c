#include "forget.h"

#include "lock.h"
#include "own_schema.h"
#include "purge.h"
#include "rights.h"
#include "source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* $1 a target, $2 oids of tables or NULL for all.  A chain that is being exported stays. */
static const char forget_sql[] =
	"WITH forgotten AS ("
	"  DELETE FROM dml.tracking AS t WHERE t.target = $1"
	"     AND ($2::oid[] IS NULL OR t.base = ANY ($2::oid[]))"
	"     AND pg_catalog.pg_try_advisory_xact_lock(" OWN_LOCK_CHAIN ","
	"             pg_catalog.hashtext(t.target || ' ' || t.base::oid::text))"
	"  RETURNING t.base, t.target, t.name, t.number"
	"), replaced AS (" /* as installed.sql has it */
	"  UPDATE dml.tracking AS t SET name = '' FROM forgotten AS f"
	"   WHERE t.target = f.target AND t.name = f.name AND t.number < f.number"
	"     AND $2::oid[] IS NOT NULL AND t.base <> ALL ($2::oid[])"
	"), history AS ("
	"  DELETE FROM dml.history AS h USING forgotten AS f"
	"   WHERE h.base = f.base AND h.target = f.target"
	") "
	"SELECT (SELECT pg_catalog.count(*) FROM dml.tracking AS t WHERE t.target = $1"
	"           AND ($2::oid[] IS NULL OR t.base = ANY ($2::oid[]))) AS before,"
	"       (SELECT pg_catalog.count(*) FROM forgotten) AS forgotten";

static enum die_status tell(const struct label *target, uint64_t before, uint64_t forgotten)
{
	if (before == 0) {
		complain("see dml-export --status for the targets that are",
			"nothing is exported for %s", target->text);
		return DIE_PERSON;
	}
	if (forgotten < before) {
		complain("let it end, then run this again", "%s is being exported to right now",
			target->text);
		return DIE_NOT_NOW;
	}
	note("%s is forgotten, for %" PRIu64 " table%s", target->text, forgotten,
		forgotten == 1 ? "" : "s");
	return DIE_DONE;
}

/* In a transaction of its own: what others have locked keeps one target only. */
static enum die_status forget(PGconn *conn, const struct label *target, const char *oids)
{
	const char *const values[] = {target->text, oids};
	uint64_t before, forgotten;
	PGresult *res;

	pg_exec(conn, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;" LOCK_PATIENCE, "SET");
	if (own_schema_is_wary(conn))
		rights_to_write(conn, forget_sql);
	res = pg_query_try(conn, forget_sql, 2, values);
	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		enum die_status status = pg_complain(conn, res, target->text);

		PQclear(res);
		if (PQstatus(conn) != CONNECTION_OK)
			exit((int)status);
		pg_exec(conn, "ROLLBACK", "ROLLBACK");
		return status;
	}
	before = pg_number(res, 0, "before");
	forgotten = pg_number(res, 0, "forgotten");
	PQclear(res);
	pg_exec(conn, "COMMIT", "COMMIT");
	return tell(target, before, forgotten);
}

/* A table that was dropped still has its shadow table. */
static const char tracked_sql[] =
	"SELECT t.base::oid AS oid,"
	"       COALESCE(pg_catalog.quote_ident(n.nspname) || '.' || "
	"pg_catalog.quote_ident(c.relname), t.name) AS label"
	"  FROM dml.tracked AS t"
	"  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.base"
	"  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
	" WHERE $1::oid[] IS NULL OR t.base = ANY ($1::oid[])"
	" ORDER BY label";

/* After the targets are gone for certain.  Nobody might come by these tables any more, so one
 * that can't be purged now is an error. */
static enum die_status purge(PGconn *conn, const struct pg_options *pg, const char *oids)
{
	PGresult *res = pg_query(conn, tracked_sql, 1, &oids);
	enum die_status worst = DIE_DONE;

	if (PQntuples(res) > 0 && !purge_allow(conn, pg, "{}", pg_text(res, 0, "label"))) {
		PQclear(res);
		return DIE_PERSON;
	}
	for (int row = 0; row < PQntuples(res) && PQstatus(conn) == CONNECTION_OK; row++) {
		const char *label = pg_text(res, row, "label");
		enum die_status status = purge_table(conn, pg_text(res, row, "oid"), label);

		if (status == DIE_NOT_NOW)
			complain("run it again when the lock is free",
				"purge of %s: " PURGE_LOCKED, label);
		worst = die_worst(worst, status);
	}
	PQclear(res);
	return worst;
}

/* Tables were named, and each was refused. */
static bool is_none(const char *oids)
{
	return oids != NULL && strcmp(oids, "{}") == 0;
}

enum die_status forget_run(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	struct source_tables tables = {0};
	char *oids = NULL;

	source_expect_installed(conn, o, OWN_WRITE);
	if (o->tables.count + o->tables.patterns > 0) {
		source_resolve(conn, o, SOURCE_TRACKED, &tables);
		oids = source_oids(&tables);
	}
	for (size_t i = 0; i < o->targets.count && !is_none(oids); i++)
		tables.status =
			die_worst(tables.status, forget(conn, &o->targets.label[i], oids));
	if (!is_none(oids))
		tables.status = die_worst(tables.status, purge(conn, &o->pg, oids));
	pg_disconnect(conn);
	free(oids);
	return tables.status;
}
