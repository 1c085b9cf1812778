-- The one snapshot of a run, and where it is taken.
SELECT pg_catalog.pg_current_snapshot() AS snapshot,
       pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) AS xmax,
       (SELECT c.system_identifier FROM pg_catalog.pg_control_system() AS c) AS system,
       ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline,
       pg_catalog.current_database() AS database,
       (SELECT d.oid FROM pg_catalog.pg_database AS d
         WHERE d.datname = pg_catalog.current_database()) AS database_oid,
       pg_catalog.getdatabaseencoding() AS encoding,
       pg_catalog.to_char(pg_catalog.statement_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time
