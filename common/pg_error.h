/* What a server's error means to us, and how much of it may be told. */
#ifndef DML_PG_ERROR_H
#define DML_PG_ERROR_H

#include <libpq-fe.h>
#include <stdbool.h>

/* True if the server itself said no: then the transaction is gone for certain.  False where
 * libpq made the error up, the connection being lost. */
bool pg_error_is_final(const PGresult *res);

/* Dies of a connection that was never made; `jobs` as in pg_connect_beside(), else 0. */
_Noreturn void pg_die_unconnected(PGconn *conn, int jobs);

#endif
