-- What an export has to know of its tables, read when they are locked.  Every run reads it, so it
-- is written to be planned fast: what concerns partitions is asked apart, in partitions.sql, and what
-- only a batch needs or this makes suspect, in closer.sql.
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
       s.relpersistence = 'p' AS noted, -- a crash empties a table that isn't
       s.relrowsecurity AS closed,
       -- Its owner's code would run where it is read: in an index, or in statistics.
       s.relowner <> (SELECT k.relowner FROM pg_catalog.pg_class AS k
                       WHERE k.oid = 'dml.tracked'::pg_catalog.regclass) AS given_away,
       t.kind <> 'row'
           AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = c.oid) AS passed_over,
       s.relhastriggers OR s.relhasrules
           OR c.relkind = 'r' AND c.relhassubclass AND t.kind <> 'row' AS suspect,
       g.missing,
       g.foreign_owner,
       g.powerless,
       a.columns,
       a.xmins,
       -- Another file may hold other rows: a crash empties a table that is unlogged for a while, and a
       -- type may be changed to itself, and all values with it.  Whose shadow table was emptied has
       -- lost changes.
       c.relfilenode || ' ' || s.relfilenode AS file,
       g.rows AS triggers,
       a.made
  FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
  JOIN pg_catalog.pg_class AS c ON c.oid = b.oid
  LEFT JOIN dml.tracked AS t ON t.base = b.oid
  LEFT JOIN pg_catalog.pg_class AS s ON s.relkind = 'r'
       AND s.oid = pg_catalog.to_regclass('dml.' || pg_catalog.quote_ident(t.shadow))::oid
 -- The rows of the catalogue that hold our triggers: whoever disabled one and enabled it again left
 -- another xmin, though all looks as before.  Missing are those that are not there, do not fire
 -- when they should, fire for less, or call something else; and all of them while a superuser has
 -- told the server that there are none, as dumps once did.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg(g.oid::text || ' ' || g.xmin::text, ',' ORDER BY g.oid) AS rows,
              pg_catalog.string_agg(w.name::text, ', ' ORDER BY w.name) FILTER (WHERE (
                  c.relhastriggers AND g.tgenabled = w.enabled
                  AND g.tgattr::text = '' AND (g.tgqual IS NULL) = (w.name <> 'dml_update_key')
                  AND g.tgtype = w.event + CASE t.kind WHEN 'row' THEN w.each_row ELSE w.each END
                  AND p.pronamespace = s.relnamespace
                  AND p.proname = s.relname || CASE t.kind WHEN 'row' THEN w.of_row ELSE w.of_statement END
              ) IS NOT TRUE) AS missing,
              pg_catalog.bool_or(p.proowner <> c.relowner) AS foreign_owner,
              pg_catalog.bool_or(NOT pg_catalog.has_schema_privilege(p.proowner, s.relnamespace, 'USAGE')
                  OR NOT pg_catalog.has_table_privilege(p.proowner, s.oid, 'INSERT')) AS powerless
         FROM (VALUES ('dml_insert'::name, 'A', 4, 0, 1, ' new', ' new'),
                      ('dml_update', 'A', 16, 0, 1, ' new', ' new'),
                      ('dml_delete', 'A', 8, 0, 1, ' gone', ' old'),
                      ('dml_update_key', 'A', 16, 1, 1, ' old', ' old'),
                      ('dml_truncate', 'A', 32, 0, 0, ' truncate', ' truncate'),
                      ('dml_replica', 'R', 20, 1, 1, ' replica', NULL),
                      ('dml_replica_delete', 'R', 8, 1, 1, ' old', NULL))
              AS w (name, enabled, event, each, each_row, of_statement, of_row)
         LEFT JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = b.oid AND g.tgname = w.name
         LEFT JOIN pg_catalog.pg_proc AS p ON p.oid = g.tgfoid
        WHERE w.of_row IS NOT NULL OR t.kind IS DISTINCT FROM 'row') AS g
 -- Generated columns stay at home: the target computes its own, or has none.  But not one of the
 -- key: a target that computed it otherwise would delete other rows.
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg(
                  pg_catalog.format('%s %I %s', a.attnum, a.attname,
                                    pg_catalog.format_type(a.atttypid, a.atttypmod)),
                  ',' ORDER BY a.attnum) FILTER (WHERE a.exported) AS columns,
              -- Statement triggers don't fire for what is written through a parent.  That there was one
              -- for a while shows only in the rows of the catalogue, which any other change of a column
              -- changes too; as does a key's column that could be NULL, or had another's name.
              pg_catalog.string_agg(a.xmin::text, ',' ORDER BY a.attnum)
                  FILTER (WHERE t.kind IS DISTINCT FROM 'row' OR a.attname = ANY (t.key)) AS xmins,
              pg_catalog.bool_or(a.atttypid >= 16384 AND a.exported) AS made
         FROM (SELECT o.xmin, o.*, (o.attgenerated = '' OR o.attname = ANY (t.key)) IS TRUE AS exported
                 FROM pg_catalog.pg_attribute AS o
                WHERE o.attrelid = b.oid AND o.attnum > 0 AND NOT o.attisdropped) AS a) AS a
 ORDER BY b.i
