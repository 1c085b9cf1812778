-- What an export has to know of its tables, read when they are locked.  Every run reads it, so it
-- is written to be planned fast: what concerns partitions is asked apart, in partitions.sql.
-- $1 oids of base tables: one row for each, in that order.
SELECT c.oid::pg_catalog.regclass::text AS base,
       pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::integer AS pages,
       t.base IS NOT NULL AS tracked,
       t.kind,
       t.version,
       t.key,
       'dml.' || pg_catalog.quote_ident(s.relname) AS shadow,
       s.oid AS shadow_oid,
       pg_catalog.pg_relation_size(s.oid) = 0 AS unchanged,
       pg_catalog.row_security_active(c.oid) AS filtered,
       c.relpersistence = 'p' AS durable,
       EXISTS (SELECT FROM pg_catalog.pg_subscription_rel AS r WHERE r.srrelid = c.oid) AS subscribed,
       EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = c.oid) AS inherits,
       -- Triggers that are not there, do not fire always, or call something else.
       (SELECT pg_catalog.string_agg(w.name, ', ')
          FROM pg_catalog.unnest('{dml_delete,dml_insert,dml_truncate,dml_update,dml_update_key}'::text[]) AS w (name)
         WHERE w.name <> ALL (COALESCE(g.good, '{}'))) AS missing,
       -- Its columns are there, none can be NULL, and a unique index finds them.
       pg_catalog.cardinality(a.key) = pg_catalog.cardinality(t.key)
       AND EXISTS (SELECT FROM pg_catalog.pg_index AS x
                    WHERE x.indrelid = b.oid AND x.indisunique AND x.indisvalid AND NOT x.indisexclusion
                      AND x.indpred IS NULL AND x.indexprs IS NULL
                      AND (x.indkey::smallint[])[0:x.indnkeyatts - 1] = a.key)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS v
                        WHERE v.conrelid = b.oid AND v.contype = 'n' AND NOT v.convalidated
                          AND v.conkey && a.key) AS has_key,
       -- Statement triggers don't fire for what is written through a parent.  That there was one for
       -- a while shows only in the rows of the catalogue, which any other change of a column changes too.
       a.digest || '/' || a.version || '/'
           || CASE t.kind WHEN 'row' THEN c.relfilenode::text ELSE a.version END AS columns,
       g.digest AS triggers,
       a.made
  FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
  JOIN pg_catalog.pg_class AS c ON c.oid = b.oid
  LEFT JOIN dml.tracked AS t ON t.base = b.oid
  LEFT JOIN pg_catalog.pg_class AS s ON s.relkind = 'r'
       AND s.oid = pg_catalog.to_regclass('dml.' || pg_catalog.quote_ident(t.shadow))::oid
 -- The rows of the catalogue that hold our triggers: whoever disabled one and enabled it again left
 -- another xmin, though all looks as before.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.md5(pg_catalog.string_agg(g.oid::text || ' ' || g.xmin::text, ',' ORDER BY g.oid)) AS digest,
              pg_catalog.array_agg(g.tgname::text) FILTER (
                  WHERE g.tgenabled = 'A' AND g.tgfoid::pg_catalog.regproc::text
                        = 'dml.' || pg_catalog.quote_ident(s.relname || CASE g.tgname
                        WHEN 'dml_insert' THEN ' new' WHEN 'dml_update' THEN ' new'
                        WHEN 'dml_delete' THEN CASE t.kind WHEN 'row' THEN ' old' ELSE ' gone' END
                        WHEN 'dml_update_key' THEN ' old' ELSE ' truncate' END)) AS good
         FROM pg_catalog.pg_trigger AS g
        WHERE g.tgrelid = b.oid
          AND g.tgname IN ('dml_insert', 'dml_update', 'dml_delete', 'dml_update_key', 'dml_truncate')) AS g
 -- Generated columns stay at home: the target computes its own, or has none.  A type may have
 -- been changed to itself, and all values with it: that leaves other rows of the catalogue and
 -- another file, both.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.md5(pg_catalog.string_agg(
                  pg_catalog.format('%s %I %s', a.attnum, a.attname,
                                    pg_catalog.format_type(a.atttypid, a.atttypmod)),
                  ',' ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '')) AS digest,
              pg_catalog.md5(pg_catalog.string_agg(a.xmin::text, ',' ORDER BY a.attnum)
                  FILTER (WHERE a.attgenerated = '')) AS version,
              pg_catalog.bool_or(a.atttypid >= 16384 AND a.attgenerated = '') AS made,
              pg_catalog.array_agg(a.attnum ORDER BY pg_catalog.array_position(t.key, a.attname::text))
                  FILTER (WHERE a.attnotnull AND a.attname = ANY (t.key)) AS key
         FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped) AS a
 ORDER BY b.i
