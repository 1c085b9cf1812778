-- True of most tables that a superuser owns: nothing but the system has a part in how they are
-- written.  strangers.sql would find nobody then, and takes longer to plan.  $1 the tables,
-- regclass[].
SELECT NOT EXISTS (
           SELECT FROM pg_catalog.unnest($1::pg_catalog.regclass[]::oid[]) AS t (oid)
             JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
             JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
            WHERE NOT r.rolsuper OR c.relkind <> 'r' OR c.relispartition OR c.relhastriggers OR c.relhasrules
               OR c.relrowsecurity OR c.relchecks > 0
               OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                             AND (a.atttypid >= 12000 OR a.atthasdef))
               OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext AS e WHERE e.stxrelid = c.oid)
               OR EXISTS (SELECT FROM pg_catalog.pg_index AS x
                           WHERE x.indrelid = c.oid
                             AND (x.indisexclusion OR x.indexprs IS NOT NULL OR x.indpred IS NOT NULL
                                  OR 12000 <= ANY (x.indclass::oid[])))) AS nobody
