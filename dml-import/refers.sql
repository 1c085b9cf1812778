-- The table at the other end of a foreign key: one that it refers to, or one that refers to it by a key
-- that waits for the end of the transaction, and whose rows may be gone at the source, too.
-- $1 oid of the table, $2 schema and $3 name of the table that has the constraint, $4 its name.
WITH member AS (
    SELECT $1::oid AS oid
     UNION SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) AS p
)
SELECT CASE WHEN c.oid IN (SELECT oid FROM member) THEN f.confrelid ELSE c.oid END::pg_catalog.regclass AS other
  FROM pg_catalog.pg_constraint AS f
  JOIN pg_catalog.pg_class AS c ON c.oid = f.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE f.contype = 'f' AND f.conname = $4 AND n.nspname = $2 AND c.relname = $3
   AND (c.oid IN (SELECT oid FROM member)) <> (f.confrelid IN (SELECT oid FROM member))
   AND (c.oid IN (SELECT oid FROM member) OR f.condeferrable AND f.confdeltype = 'a')
