-- How many rows this session has written to a table and its partitions, by the server's count; whose
-- meaning is in the difference of two answers within a transaction, for what earlier ones wrote may
-- not have been reported yet.  NULL where nobody counts.  $1 oid of the table.
SELECT pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_inserted(m.oid)) AS inserted,
       pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_updated(m.oid)) AS updated,
       pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_deleted(m.oid)) AS deleted
  FROM (SELECT $1::oid AS oid
         UNION SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) AS p) AS m
 WHERE pg_catalog.current_setting('track_counts') = 'on'
