#include "purge.h"

#include "buf.h"
#include "lock.h"

#include <stdlib.h>

/* One that a crash undoes is done again by the next: it waits for no disk. */
enum die_status purge_table(PGconn *conn, const char *oid, const char *label)
{
	char *sql = mem_format("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;" LOCK_PATIENCE
			       "SET LOCAL synchronous_commit = off;"
			       "SELECT dml.purge(%s::oid::regclass);"
			       "COMMIT",
		oid);
	char *what = mem_format("purge of %s", label);
	PGresult *res = PQexec(conn, sql);
	enum die_status status = DIE_DONE;

	if (pg_is_locked(res))
		status = DIE_NOT_NOW;
	else if (PQresultStatus(res) != PGRES_COMMAND_OK)
		status = pg_complain(conn, res, what);
	if (PQstatus(conn) == CONNECTION_OK && PQtransactionStatus(conn) != PQTRANS_IDLE)
		pg_exec(conn, "ROLLBACK", "ROLLBACK");
	PQclear(res);
	free(what);
	free(sql);
	return status;
}
