#include "ledger.h"

#include "own_schema.h"
#include "strangers.h"

#include "ledger_drop.sql.h"
#include "ledger_load.sql.h"
#include "ledger_open.sql.h"
#include "ledger_prune.sql.h"
#include "ledger_save.sql.h"
#include "ledger_schema.sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char begin_text[] =
	"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n"
	"SET LOCAL search_path = '';\n"
	"SET LOCAL lock_timeout = '10s';\n"
	"SET LOCAL default_table_access_method = heap;\n"
	/* Two first imports at once.  A SELECT alone would have psql print its row, and what
	 * waits in a DO block fails without the server's words. */
	"DECLARE taken CURSOR FOR SELECT pg_catalog.pg_advisory_xact_lock(" OWN_LOCK_LEDGER
	");\n"
	"MOVE taken;\n"
	"CLOSE taken;\n";

bool ledger_exists(PGconn *conn)
{
	return own_schema_has(conn, "ledger", OWN_READ);
}

static enum die_status run_script(PGconn *conn, const char *body, bool print)
{
	char *script = mem_format("%s%sCOMMIT;\n", begin_text, body);
	enum die_status status = DIE_DONE;

	if (print)
		fputs(script, stdout);
	else
		status = pg_script_try(conn, script, "the ledger");
	free(script);
	return status;
}

/* Without the right to make a schema, trying would only add a second error to the first. */
static bool may_create(PGconn *conn)
{
	PGresult *res = pg_query_row(conn,
		"SELECT pg_catalog.has_database_privilege("
		"    pg_catalog.current_database(), 'CREATE')"
		" OR EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'dml'"
		"     AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')) AS may",
		0, NULL);
	bool may = pg_bool(res, 0, "may");

	PQclear(res);
	return may;
}

/* Somebody's event trigger may have given it row security.  Only what is known to be ours is
 * altered: it was looked at since it was made. */
static enum die_status open_to_importers(PGconn *conn)
{
	PGresult *res = pg_query_row(conn,
		"SELECT pg_catalog.bool_or(relrowsecurity OR relforcerowsecurity) AS closed"
		"  FROM pg_catalog.pg_class"
		" WHERE oid IN ('dml.ledger'::pg_catalog.regclass,"
		"     'dml.retired'::pg_catalog.regclass, 'dml.applied'::pg_catalog.regclass)",
		0, NULL);
	bool closed = pg_bool(res, 0, "closed");

	PQclear(res);
	return closed ? run_script(conn, ledger_open_sql, false) : DIE_DONE;
}

void ledger_ensure(PGconn *conn)
{
	enum die_status status = DIE_PERSON;

	if (own_schema_has(conn, "ledger", OWN_WRITE) ||
		own_schema_has(conn, "ledger", OWN_MAKE))
		return;
	if (may_create(conn))
		status = run_script(conn, ledger_schema_sql, false);
	/* Somebody else may have made it in the same instant: another importer, or who lay in
	 * wait for that. */
	if (!own_schema_has(conn, "ledger", OWN_WRITE))
		die(status != DIE_DONE ? status : DIE_PERSON,
			"run dml-import --install as a role that may create schema dml",
			"there is no ledger in database \"%s\", and none can be made",
			PQdb(conn));
	if (status == DIE_DONE)
		(void)open_to_importers(conn);
}

uint64_t ledger_number(PGconn *conn, const char *relation)
{
	PGresult *res = pg_query(
		conn, "SELECT number FROM dml.ledger WHERE relation = $1::oid", 1, &relation);
	uint64_t number = PQntuples(res) == 1 ? pg_number(res, 0, "number") : 0;

	PQclear(res);
	return number;
}

bool ledger_lock(PGconn *conn, const char *relation)
{
	PGresult *res = pg_query_row(conn,
		"SELECT pg_catalog.pg_try_advisory_xact_lock(" OWN_LOCK_TARGET
		", $1::oid::integer) AS "
		"locked",
		1, &relation);
	bool locked = pg_bool(res, 0, "locked");

	PQclear(res);
	return locked;
}

void ledger_await(PGconn *conn, const char *relation)
{
	pg_script(conn, "SET LOCAL lock_timeout = '10s'");
	PQclear(pg_query(conn,
		"SELECT pg_catalog.pg_advisory_xact_lock(" OWN_LOCK_TARGET
		", $1::oid::integer)",
		1, &relation));
}

void ledger_expect_no_strangers(PGconn *conn)
{
	/* Parsing takes the locks that writing takes, and asks for no right; LOCK TABLE would
	 * ask for more than INSERT. */
	PGresult *res = PQprepare(conn, "", ledger_save_sql, 0, NULL);

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		pg_die(conn, res, "the ledger");
	PQclear(res);
	strangers_expect_none(conn, "{dml.ledger,dml.retired,dml.applied}", "the ledger",
		"drop it, and see who was granted TRIGGER or REFERENCES on the tables of "
		"schema dml");
}

void ledger_load(
	PGconn *conn, const char *relation, const struct manifest *m, struct ledger *ledger)
{
	char number[24];
	const char *const values[] = {relation, m->chain, number, m->time};
	PGresult *res;
	uint64_t xmin;

	snprintf(number, sizeof number, "%" PRIu64, m->number);
	res = pg_query_row(conn, ledger_load_sql, 4, values);
	*ledger = (struct ledger){
		.known = pg_bool(res, 0, "known"),
		.target = mem_string(pg_text(res, 0, "target")),
		.origin = mem_string(pg_text(res, 0, "origin")),
		.columns = mem_string(pg_text(res, 0, "columns")),
		.number = pg_number(res, 0, "number"),
		.source = {.system = mem_string(pg_text(res, 0, "system")),
			.timeline = (uint32_t)pg_number(res, 0, "timeline"),
			.database = mem_string(pg_text(res, 0, "database"))},
		.retired = pg_bool(res, 0, "retired"),
		.retired_number = pg_number(res, 0, "retired_number"),
		.after = pg_bool(res, 0, "after"),
		.has_next = !pg_is_null(res, 0, "next_number"),
		.next_number = pg_number(res, 0, "next_number"),
		.next_base = pg_number(res, 0, "next_base"),
	};
	manifest_snapshot_bounds(pg_text(res, 0, "snapshot"), &xmin, &ledger->xmax);
	buf_copy(ledger->chain, sizeof ledger->chain, pg_text(res, 0, "chain"));
	buf_copy(ledger->seal, sizeof ledger->seal, pg_text(res, 0, "seal"));
	buf_copy(ledger->next_seal, sizeof ledger->next_seal, pg_text(res, 0, "next_seal"));
	PQclear(res);
}

void ledger_free(struct ledger *ledger)
{
	free(ledger->target);
	free(ledger->origin);
	free(ledger->columns);
	free(ledger->source.system);
	free(ledger->source.database);
	*ledger = (struct ledger){0};
}

enum verdict ledger_judge(
	PGconn *conn, const char *relation, const struct manifest *m, bool accept_source)
{
	struct ledger ledger;
	enum verdict result;

	ledger_load(conn, relation, m, &ledger);
	result = verdict(m, &ledger, accept_source);
	ledger_free(&ledger);
	return result;
}

/* Where the log has other batches by their numbers, of a source that was set back: those have
 * ended with the chain that they were of. */
static void make_room(
	PGconn *conn, const char *relation, const struct ledger_needless *needless)
{
	const char *const values[] = {
		relation, needless->chains, needless->numbers, needless->seals};
	PGresult *res;

	if (needless->chains == NULL)
		return;
	res = pg_query_try(conn,
		"DELETE FROM dml.applied AS a"
		" USING ROWS FROM (pg_catalog.unnest($2::uuid[]),"
		"           pg_catalog.unnest($3::bigint[]), pg_catalog.unnest($4::text[]))"
		"       AS n (chain, number, seal)"
		" WHERE a.relation = $1::oid AND a.chain = n.chain AND a.number = n.number"
		"   AND a.seal <> n.seal",
		4, values);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		pg_die(conn, res, "the ledger");
	PQclear(res);
}

void ledger_save(PGconn *conn, const char *relation, const struct manifest *m,
	const struct ledger_extras *extras, struct ledger_sight *sight)
{
	char retires_number[24];
	char number[24], timeline[24], base[24], ids[24], rows[24];
	struct buf origin = {0};
	PGresult *res;

	name_to_record(&origin, &m->table);
	snprintf(number, sizeof number, "%" PRIu64, m->number);
	snprintf(timeline, sizeof timeline, "%" PRIu32, m->source.timeline);
	snprintf(base, sizeof base, "%" PRIu64, m->base);
	snprintf(ids, sizeof ids, "%" PRIu64, m->ids);
	snprintf(rows, sizeof rows, "%" PRIu64, m->rows);

	const char *const values[] = {relation, origin.data, m->chain, number, m->seal,
		m->source.system, timeline, m->source.database, m->snapshot, m->time, base,
		manifest_scope_name(m->scope), ids, rows,
		strcmp(m->retires, "-") == 0 ? NULL : m->retires, m->target, retires_number,
		extras->needless->chains, extras->columns, extras->needless->numbers,
		extras->name, extras->encoding, extras->names ? "true" : "false",
		extras->needless->bases, extras->needless->seals};

	snprintf(retires_number, sizeof retires_number, "%" PRIu64, m->retires_number);
	make_room(conn, relation, extras->needless);
	res = pg_query_try(conn, ledger_save_sql, 25, values);
	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
		pg_die(conn, res, "the ledger");
	sight->still = pg_bool(res, 0, "still");
	buf_copy(sight->changed, sizeof sight->changed, pg_text(res, 0, "changed"));
	if (pg_bool(res, 0, "prune"))
		pg_run(conn, ledger_prune_sql, "the ledger");
	PQclear(res);
	buf_free(&origin);
}

void ledger_doubt(PGconn *conn, const char *relation, const char *doubt)
{
	const char *const values[] = {relation, doubt};
	PGresult *res = pg_query_try(conn,
		"UPDATE dml.ledger SET columns = $2 WHERE relation = $1::oid AND columns <> ''",
		2, values);

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		pg_die(conn, res, "the ledger");
	PQclear(res);
}

bool ledger_has(PGconn *conn, const char *relation, const struct manifest *m)
{
	char number[24];
	const char *const values[] = {relation, m->chain, number, m->seal};
	PGresult *res;
	bool has;

	snprintf(number, sizeof number, "%" PRIu64, m->number);
	res = pg_query_row(conn,
		"SELECT EXISTS (SELECT FROM dml.ledger WHERE relation = $1::oid"
		" AND chain = $2::uuid AND number = $3::bigint AND seal = $4) AS has",
		4, values);
	has = pg_bool(res, 0, "has");
	PQclear(res);
	return has;
}

static enum die_status install(PGconn *conn)
{
	enum die_status status;

	own_schema_expect_owner(conn, "ledger");
	status = run_script(conn, ledger_schema_sql, false);
	if (status == DIE_DONE && own_schema_has(conn, "ledger", OWN_MAKE))
		status = open_to_importers(conn);
	return status;
}

/* Somebody else may be about to run it. */
static void print_install(PGconn *conn)
{
	char *body = mem_format("%s%s", ledger_schema_sql, ledger_open_sql);

	(void)run_script(conn, body, true);
	free(body);
}

enum die_status ledger_install(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	enum die_status status = DIE_DONE;

	if (own_schema_has(conn, "ledger", OWN_MAKE)) {
		note("the ledger is there already");
		if (!o->print_sql)
			status = open_to_importers(conn);
	} else if (o->print_sql) {
		print_install(conn);
	} else {
		status = install(conn);
	}
	pg_disconnect(conn);
	opt_close_stdout();
	return status;
}

enum die_status ledger_uninstall(const struct options *o)
{
	PGconn *conn = pg_connect(&o->pg);
	enum die_status status = DIE_DONE;

	if (!ledger_exists(conn)) {
		note("there is no ledger");
	} else {
		if (!o->print_sql)
			own_schema_expect_owner(conn, "ledger");
		status = run_script(conn, ledger_drop_sql, o->print_sql);
	}
	pg_disconnect(conn);
	opt_close_stdout();
	return status;
}
