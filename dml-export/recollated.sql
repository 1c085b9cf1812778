-- Is the index of a key sorted by another version of its collation than the server has now?  Then what
-- is there may not be found, and would be taken for deleted.  From PostgreSQL 15 on.
-- $1 oids of base tables: one row for each, in that order, with a statement that says it is sorted anew.
SELECT (SELECT CASE l.collprovider
               WHEN 'd' THEN pg_catalog.format('ALTER DATABASE %I REFRESH COLLATION VERSION', d.datname)
               ELSE pg_catalog.format('ALTER COLLATION %I.%I REFRESH VERSION', n.nspname, l.collname) END
          FROM dml.tracked AS t
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.base AND a.attname = ANY (t.key)
           AND a.attnum > 0 AND NOT a.attisdropped
          JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
          JOIN pg_catalog.pg_namespace AS n ON n.oid = l.collnamespace
         CROSS JOIN (SELECT * FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database()) AS d
         WHERE t.base = b.oid
           AND CASE l.collprovider
               WHEN 'd' THEN d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)
               ELSE l.collversion <> pg_catalog.pg_collation_actual_version(l.oid) END
         LIMIT 1) AS refresh
  FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
 ORDER BY b.i
