-- What an export has to know of partitions, which have triggers and files of their own.
-- $1 oids of partitioned tables: one row for each, in that order.
SELECT missing.triggers AS missing,
       pg_catalog.concat_ws('/', watch.rows, file.files) AS state,
       COALESCE(file.size, 0) / pg_catalog.current_setting('block_size')::integer AS pages,
       file.bad
  FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg(DISTINCT w.tgname, ', ') AS triggers
         FROM pg_catalog.pg_partition_tree(b.oid::pg_catalog.regclass) AS p
         JOIN pg_catalog.pg_trigger AS w ON w.tgrelid = b.oid
          AND w.tgname IN ('dml_insert', 'dml_update', 'dml_delete', 'dml_update_key')
        WHERE p.level > 0
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS g
                            JOIN pg_catalog.pg_class AS l ON l.oid = g.tgrelid AND l.relhastriggers
                           WHERE g.tgrelid = p.relid AND g.tgname = w.tgname
                             AND g.tgenabled = 'A' AND g.tgfoid = w.tgfoid)) AS missing
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg(g.oid::text || ' ' || g.xmin::text, ',' ORDER BY g.oid) AS rows
         FROM pg_catalog.pg_partition_tree(b.oid::pg_catalog.regclass) AS p
         JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = p.relid
          AND g.tgname IN ('dml_insert', 'dml_update', 'dml_delete', 'dml_update_key')
        WHERE p.level > 0) AS watch
  -- Attaching, detaching or truncating a partition fires no trigger of the partitioned table.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg(
                  p.relid::oid || ' ' || COALESCE(pg_catalog.pg_relation_filenode(p.relid), 0),
                  ',' ORDER BY p.relid) AS files,
              pg_catalog.sum(pg_catalog.pg_relation_size(p.relid)) FILTER (WHERE p.isleaf) AS size,
              pg_catalog.min(p.relid::text) FILTER (
                  WHERE l.relpersistence <> 'p' OR l.relkind NOT IN ('r', 'p')) AS bad
         FROM pg_catalog.pg_partition_tree(b.oid::pg_catalog.regclass) AS p
         JOIN pg_catalog.pg_class AS l ON l.oid = p.relid) AS file
 ORDER BY b.i
