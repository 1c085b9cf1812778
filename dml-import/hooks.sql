-- Why a table's triggers and foreign keys, or those of its partitions, let it take no batch: a row for
-- each reason, with what would mend it.  $1 oid of the table.
WITH member AS (
    SELECT $1::oid AS oid
     UNION SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) AS p
)
SELECT problem, hint
  FROM (
    SELECT 1 AS rank, pg_catalog.format('deleting its rows would change table %s, through foreign key %I',
                                        f.conrelid::pg_catalog.regclass, f.conname) AS problem,
           pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I;', f.conrelid::pg_catalog.regclass, f.conname) AS hint
      FROM pg_catalog.pg_constraint AS f
     WHERE f.contype = 'f' AND f.confrelid IN (SELECT oid FROM member)
       AND (f.confrelid = $1::oid OR f.conparentid = 0) AND f.confdeltype IN ('c', 'n', 'd')
       -- From version 18 on, one may be there and do nothing.
       AND pg_catalog.to_jsonb(f) OPERATOR(pg_catalog.->>) 'conenforced' IS DISTINCT FROM 'false'
    UNION ALL
    SELECT 2, pg_catalog.format('trigger %I could drop or change rows', g.tgname),
           pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I;', g.tgrelid::pg_catalog.regclass, g.tgname)
      FROM pg_catalog.pg_trigger AS g
     WHERE g.tgrelid IN (SELECT oid FROM member) AND NOT g.tgisinternal
       AND g.tgtype & 3 = 3 AND g.tgtype & 12 <> 0
       AND (g.tgenabled = 'A' OR g.tgenabled =
            CASE pg_catalog.current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)
) AS p
 ORDER BY rank, problem
