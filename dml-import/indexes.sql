-- Indexes of a table that can be dropped and made again just as they were.  $1 its oid.
--
-- Left in place: what something else depends on (a foreign key, a view), what depends on an
-- extension, a replica identity, an index to cluster by, one with a comment, a tablespace or statistics of its own, exclusion
-- constraints, those of partitions; and all of them if the table isn't ours.
SELECT CASE WHEN k.oid IS NOT NULL
            THEN pg_catalog.format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname)
            ELSE pg_catalog.format('DROP INDEX %I.%I', n.nspname, i.relname) END AS drop,
       pg_catalog.pg_get_indexdef(i.oid)
           || CASE WHEN k.oid IS NOT NULL
                   THEN pg_catalog.format('; ALTER TABLE %I.%I ADD CONSTRAINT %I %s USING INDEX %I%s',
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
   AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
   AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')
   AND x.indisvalid AND x.indisready AND x.indislive
   AND NOT x.indisreplident AND NOT x.indisclustered AND NOT x.indisexclusion
   AND k.contype IS DISTINCT FROM 'x'
   AND i.reltablespace = 0
   AND pg_catalog.obj_description(i.oid, 'pg_class') IS NULL
   AND (k.oid IS NULL OR pg_catalog.obj_description(k.oid, 'pg_constraint') IS NULL)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = i.oid AND a.attstattarget >= 0)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS f
                    WHERE f.contype = 'f' AND f.conindid = i.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.deptype = 'x' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = i.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.deptype IN ('n', 'P', 'S')
                      AND (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.oid
                        OR d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.refobjid = k.oid))
 ORDER BY x.indisprimary DESC, i.oid
