-- What an export has to know of its tables, read after they were locked.
-- $1 oids of base tables: one row for each, in that order.
SELECT b.oid,
       n.nspname AS schema,
       c.relname AS name,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS base,
       c.relkind = 'p' AS partitioned,
       (pg_catalog.pg_relation_size(c.oid) + COALESCE(parts.size, 0))
           / pg_catalog.current_setting('block_size')::integer AS pages,
       t.base IS NOT NULL AS tracked,
       t.kind,
       t.version,
       t.key,
       'dml.' || pg_catalog.quote_ident(s.relname) AS shadow,
       s.oid AS shadow_oid,
       pg_catalog.has_table_privilege(c.oid, 'SELECT')
           AND pg_catalog.has_table_privilege(s.oid, 'SELECT') AS readable,
       pg_catalog.row_security_active(c.oid) AS filtered,
       c.relpersistence = 'p' AS durable,
       EXISTS (SELECT FROM pg_catalog.pg_subscription_rel AS r WHERE r.srrelid = c.oid) AS subscribed,
       EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = c.oid) AS inherits,
       missing.triggers AS missing,
       -- Its columns are there, none can be NULL, and a unique b-tree finds them.
       NOT EXISTS (SELECT FROM pg_catalog.unnest(t.key) AS k (name)
                    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                                       WHERE a.attrelid = b.oid AND a.attname = k.name AND a.attnum > 0
                                         AND a.attnotnull
                                         AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS v
                                                          WHERE v.conrelid = b.oid AND v.contype = 'n'
                                                            AND NOT v.convalidated
                                                            AND a.attnum = ANY (v.conkey))))
       AND EXISTS (SELECT FROM pg_catalog.pg_index AS x
                     JOIN pg_catalog.pg_class AS xc ON xc.oid = x.indexrelid AND xc.relam = 403
                    WHERE x.indrelid = b.oid AND x.indisunique AND x.indisvalid AND NOT x.indisexclusion
                      AND x.indpred IS NULL AND x.indexprs IS NULL
                      AND ARRAY(SELECT xa.attname::text
                                  FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
                                  JOIN pg_catalog.pg_attribute AS xa
                                    ON xa.attrelid = b.oid AND xa.attnum = x.indkey[j]
                                 ORDER BY j) = t.key) AS has_key,
       column_of.digest AS columns,
       pg_catalog.concat(watch.digest, parts.digest) AS triggers,
       parts.bad AS bad_partition
  FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
  JOIN pg_catalog.pg_class AS c ON c.oid = b.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN dml.tracked AS t ON t.base = b.oid
  LEFT JOIN pg_catalog.pg_class AS s ON s.relkind = 'r'
       AND s.oid = pg_catalog.to_regclass('dml.' || pg_catalog.quote_ident(t.shadow))::oid
  -- Triggers that are not there, do not fire always, or call something else; on partitions too,
  -- where each has a copy of its own that can be disabled.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg(DISTINCT w.name, ', ') AS triggers
         FROM (VALUES ('dml_insert', 'new'), ('dml_update', 'new'),
                      ('dml_delete', CASE t.kind WHEN 'row' THEN 'old' ELSE 'gone' END),
                      ('dml_update_key', 'old'), ('dml_truncate', 'truncate')) AS w (name, suffix)
        CROSS JOIN LATERAL (
              SELECT b.oid AS relid
               UNION ALL
              SELECT p.relid FROM pg_catalog.pg_partition_tree(b.oid::pg_catalog.regclass) AS p
               WHERE c.relkind = 'p' AND p.level > 0 AND w.name <> 'dml_truncate') AS r
        WHERE (
              SELECT true FROM pg_catalog.pg_trigger AS g
                JOIN pg_catalog.pg_proc AS f ON f.oid = g.tgfoid
               WHERE g.tgrelid = r.relid AND g.tgname = w.name AND g.tgenabled = 'A'
                 AND f.pronamespace = s.relnamespace
                 AND f.proname = s.relname || ' ' || w.suffix) IS NULL) AS missing
  -- The rows of the catalogue that say so: whoever disabled a trigger and enabled it again left
  -- another xmin, though all looks as before.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.md5(pg_catalog.string_agg(g.oid::text || ' ' || g.xmin::text, ',' ORDER BY g.oid)) AS digest
         FROM (SELECT b.oid AS relid
                UNION ALL
               SELECT p.relid FROM pg_catalog.pg_partition_tree(b.oid::pg_catalog.regclass) AS p
                WHERE c.relkind = 'p' AND p.level > 0) AS r
        CROSS JOIN LATERAL (
              SELECT g.oid, g.xmin FROM pg_catalog.pg_trigger AS g
               WHERE g.tgrelid = r.relid
                 AND g.tgname IN ('dml_insert', 'dml_update', 'dml_delete', 'dml_update_key', 'dml_truncate')
              OFFSET 0) AS g) AS watch
  -- Generated columns stay at home: the target computes its own, or has none.  xmin: a type may
  -- have been changed to itself, and all values with it.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.md5(pg_catalog.string_agg(
                  pg_catalog.format('%s %I %s %s', a.attnum, a.attname,
                                    pg_catalog.format_type(a.atttypid, a.atttypmod), a.xmin),
                  ',' ORDER BY a.attnum)) AS digest
         FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated = '') AS column_of
  -- Attaching, detaching or truncating a partition fires no trigger of the partitioned table.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.md5(pg_catalog.string_agg(
                  p.relid::oid || ' ' || COALESCE(pg_catalog.pg_relation_filenode(p.relid), 0),
                  ',' ORDER BY p.relid)) AS digest,
              pg_catalog.sum(pg_catalog.pg_relation_size(p.relid)) FILTER (WHERE p.isleaf) AS size,
              pg_catalog.min(p.relid::text) FILTER (
                  WHERE l.relpersistence <> 'p' OR l.relkind NOT IN ('r', 'p')) AS bad
         FROM pg_catalog.pg_partition_tree(b.oid::pg_catalog.regclass) AS p
         JOIN pg_catalog.pg_class AS l ON l.oid = p.relid
        WHERE c.relkind = 'p') AS parts
 ORDER BY b.i
