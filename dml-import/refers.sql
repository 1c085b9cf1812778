-- The other table that a foreign key refers to, if it is the table's own or a partition's.
-- $1 oid of the table, $2 schema and $3 name of the table that has the constraint, $4 its name.
WITH member AS (
    SELECT $1::oid AS oid
     UNION SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) AS p
)
SELECT f.confrelid::pg_catalog.regclass AS referred
  FROM pg_catalog.pg_constraint AS f
  JOIN pg_catalog.pg_class AS c ON c.oid = f.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE f.contype = 'f' AND f.conname = $4 AND n.nspname = $2 AND c.relname = $3
   AND c.oid IN (SELECT oid FROM member) AND f.confrelid NOT IN (SELECT oid FROM member)
