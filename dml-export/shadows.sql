-- The shadow tables of base tables, looked up before anything is locked.
-- $1 oids of base tables: one row for each, in that order.
SELECT t.base IS NOT NULL AS tracked,
       'dml.' || pg_catalog.quote_ident(s.relname) AS shadow,
       pg_catalog.has_table_privilege(b.oid, 'SELECT')
           AND pg_catalog.has_table_privilege(s.oid, 'SELECT') AS readable
  FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
  LEFT JOIN dml.tracked AS t ON t.base = b.oid
  LEFT JOIN pg_catalog.pg_class AS s ON s.relkind = 'r'
       AND s.oid = pg_catalog.to_regclass('dml.' || pg_catalog.quote_ident(t.shadow))::oid
 ORDER BY b.i
