-- How many rows this session has written to a table and its partitions, by the server's count; whose
-- meaning is in the difference of two answers within a transaction, for what earlier ones wrote may
-- not have been reported yet.  Nobody counts what TRUNCATE takes away, which leaves another file in
-- place of one of the answer before.  $1 oid of the table, $2 files of that answer, or NULL.
SELECT pg_catalog.current_setting('track_counts') = 'on' AS known,
       pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_inserted(m.oid)) AS inserted,
       pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_updated(m.oid)) AS updated,
       pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_deleted(m.oid)) AS deleted,
       (SELECT COALESCE(pg_catalog.array_agg(c.oid || ' ' || c.relfilenode), '{}')
          FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) AS p
          JOIN pg_catalog.pg_class AS c ON c.oid = p.relid) AS files,
       EXISTS (SELECT FROM pg_catalog.unnest($2::text[]) AS f (file)
                 JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.split_part(f.file, ' ', 1)::oid
                WHERE c.relfilenode <> pg_catalog.split_part(f.file, ' ', 2)::oid) AS emptied
  FROM (SELECT $1::oid AS oid
         UNION SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) AS p) AS m
