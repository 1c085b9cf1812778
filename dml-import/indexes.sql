-- Indexes of a table that can be dropped and made again just as they were.  $1 its oid.
--
-- Left in place: what something else depends on (a foreign key, a view), what depends on an
-- extension, a replica identity, an index to cluster by, one with a comment, a tablespace or statistics
-- of its own, one that calls what isn't the system's, which would be found by name again, and may be
-- another's by now, exclusion constraints, those of partitions, the primary key of a table with
-- children, which would be locked and altered with it; and all of them if the table isn't ours, or
-- where somebody's code runs for each row or statement: it may look into the table, which would take
-- for ever or be an error without its key.  An extension's functions are no such code.  ONLY: PostgreSQL
-- 18 locks heirs else, behind whoever reads them.
WITH RECURSIVE type AS (        -- of the columns, and what it is over or made of
    SELECT a.atttypid AS oid FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
     UNION
    SELECT part.oid
      FROM type
      JOIN pg_catalog.pg_type AS t ON t.oid = type.oid
     CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) AS part (oid)
     WHERE part.oid <> 0
),
code AS (
    SELECT g.oid FROM pg_catalog.pg_trigger AS g
     WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal
       AND g.tgtype & 36 <> 0           -- INSERT, TRUNCATE
       AND (g.tgenabled = 'A' OR g.tgenabled =
            CASE pg_catalog.current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)
     UNION ALL
    -- What checks and defaults call.
    SELECT called.refobjid
      FROM pg_catalog.pg_depend AS of
      JOIN pg_catalog.pg_depend AS called ON called.classid = of.classid AND called.objid = of.objid
       AND called.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
                                 'pg_catalog.pg_operator'::pg_catalog.regclass)
     WHERE (of.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND of.refobjid = $1::oid
         OR of.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
            AND of.refobjid IN (SELECT type.oid FROM type))
       AND (of.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
         OR of.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
            AND EXISTS (SELECT FROM pg_catalog.pg_constraint AS o WHERE o.oid = of.objid AND o.contype = 'c'))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = called.refclassid AND e.objid = called.refobjid AND e.deptype = 'e')
)
SELECT CASE WHEN k.oid IS NOT NULL
            THEN pg_catalog.format('ALTER TABLE ONLY %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname)
            ELSE pg_catalog.format('DROP INDEX %I.%I', n.nspname, i.relname) END AS drop,
       pg_catalog.pg_get_indexdef(i.oid)
           || CASE WHEN k.oid IS NOT NULL
                   THEN pg_catalog.format('; ALTER TABLE ONLY %I.%I ADD CONSTRAINT %I %s USING INDEX %I%s',
                        n.nspname, c.relname, k.conname,
                        CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, i.relname,
                        CASE WHEN NOT k.condeferrable THEN ''
                             WHEN k.condeferred THEN ' DEFERRABLE INITIALLY DEFERRED'
                             ELSE ' DEFERRABLE' END)
                   ELSE '' END AS create
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_index AS x ON x.indrelid = c.oid
  JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
  LEFT JOIN pg_catalog.pg_constraint AS k ON k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')
 WHERE c.oid = $1::oid AND c.relkind = 'r' AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM code)
   AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
   AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')
   AND x.indisvalid AND x.indisready AND x.indislive
   AND NOT x.indisreplident AND NOT x.indisclustered AND NOT x.indisexclusion
   AND k.contype IS DISTINCT FROM 'x'
   AND NOT (k.contype IS NOT DISTINCT FROM 'p'
            AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = c.oid))
   AND i.reltablespace = 0
   AND pg_catalog.obj_description(i.oid, 'pg_class') IS NULL
   AND (k.oid IS NULL OR pg_catalog.obj_description(k.oid, 'pg_constraint') IS NULL)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = i.oid AND a.attstattarget >= 0)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS f
                    WHERE f.contype = 'f' AND f.conindid = i.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.oid
                      AND (d.deptype = 'x'
                        OR d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
                                            'pg_catalog.pg_operator'::pg_catalog.regclass)))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.deptype IN ('n', 'P', 'S')
                      AND (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.oid
                        OR d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.refobjid = k.oid))
 ORDER BY x.indisprimary DESC, i.oid
