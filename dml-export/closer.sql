-- A closer look at tracked tables: those of which a batch is made, and those that describe.sql makes
-- suspect.  Without an index that finds their keys nobody's changes are lost, unless there are some.
-- $1 oids of base tables: one row for each, in that order.
SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger AS h WHERE h.tgrelid = s.oid AND NOT h.tgisinternal)
           OR EXISTS (SELECT FROM pg_catalog.pg_rewrite AS h WHERE h.ev_class = s.oid) AS hooked,
       -- Its columns are there, none can be NULL, and a unique index finds them.  The trigger that
       -- notes old keys knows them by number, and so notices if another column has taken the name.
       pg_catalog.cardinality(a.key) = pg_catalog.cardinality(t.key)
       AND a.key_numbers = (SELECT pg_catalog.array_agg(DISTINCT d.refobjsubid)
                              FROM pg_catalog.pg_depend AS d
                             WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
                               -- No join, which without statistics would read what all triggers depend on.
                               AND d.objid = (SELECT g.oid FROM pg_catalog.pg_trigger AS g
                                               WHERE g.tgrelid = b.oid AND g.tgname = 'dml_update_key')
                               AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                               AND d.refobjid = b.oid AND d.refobjsubid > 0)
       -- Nor have two columns of it each other's.  A type that isn't the system's may be a domain, in
       -- whose place the shadow table has another.  That one may have more columns: somebody's event
       -- trigger adds them to every table.
       AND (a.key_made OR a.key_types = (
               SELECT pg_catalog.array_agg(n.atttypid || ' ' || n.atttypmod ORDER BY k)
                 FROM pg_catalog.generate_series(1, pg_catalog.cardinality(t.key)) AS k
                 JOIN pg_catalog.pg_attribute AS n ON n.attrelid = s.oid AND n.attname = 'key' || k))
       AND EXISTS (SELECT FROM pg_catalog.pg_index AS x
                    WHERE x.indrelid = b.oid AND x.indisunique AND x.indisvalid AND NOT x.indisexclusion
                      AND x.indpred IS NULL AND x.indexprs IS NULL
                      AND (x.indkey::smallint[])[0:x.indnkeyatts - 1] = a.key)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS v
                        WHERE v.conrelid = b.oid AND v.contype = 'n' AND NOT v.convalidated
                          AND v.conkey && a.key) AS has_key,
       -- It may be an heir's heir.
       c.relkind = 'r' AND c.relhassubclass AND t.kind <> 'row' AND EXISTS (
           WITH RECURSIVE heir AS (
               SELECT h.inhrelid AS oid FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = c.oid
               UNION
               SELECT h.inhrelid FROM heir JOIN pg_catalog.pg_inherits AS h ON h.inhparent = heir.oid)
           SELECT FROM heir JOIN pg_catalog.pg_foreign_table AS f ON f.ftrelid = heir.oid) AS blocked,
       a.key_collated
  FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
  JOIN pg_catalog.pg_class AS c ON c.oid = b.oid
  JOIN dml.tracked AS t ON t.base = b.oid
  JOIN pg_catalog.pg_class AS s ON s.relkind = 'r'
   AND s.oid = pg_catalog.to_regclass('dml.' || pg_catalog.quote_ident(t.shadow))::oid
 CROSS JOIN LATERAL (
       SELECT pg_catalog.array_agg(a.attnum ORDER BY pg_catalog.array_position(t.key, a.attname::text))
                  FILTER (WHERE a.attnotnull) AS key,
              pg_catalog.array_agg(a.attnum::integer ORDER BY a.attnum) AS key_numbers,
              pg_catalog.array_agg(a.atttypid || ' ' || a.atttypmod
                  ORDER BY pg_catalog.array_position(t.key, a.attname::text)) AS key_types,
              pg_catalog.bool_or(a.atttypid >= 12000) AS key_made,
              -- An index may have one of its own, and so what a type is made of; 3802: jsonb.
              pg_catalog.bool_or(a.attcollation <> 0 OR a.atttypid >= 12000 OR a.atttypid = 3802) AS key_collated
         FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY (t.key)) AS a
 ORDER BY b.i
