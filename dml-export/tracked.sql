-- Which tracked tables the names mean, and their shadow tables, looked up before anything is
-- locked.  $1 schemas, $2 tables: one row for each, in that order.
SELECT c.oid,
       pg_catalog.quote_ident(w.schema) || '.' || pg_catalog.quote_ident(c.relname) AS base,
       c.relkind,
       c.relpersistence,
       n.oid IS NOT NULL AS has_schema,
       t.base IS NOT NULL AS tracked,
       'dml.' || pg_catalog.quote_ident(s.relname) AS shadow,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE')
           AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
       pg_catalog.has_table_privilege(s.oid, 'SELECT') AS shadow_readable,
       s.relowner <> (SELECT k.relowner FROM pg_catalog.pg_class AS k
                       WHERE k.oid = 'dml.tracked'::pg_catalog.regclass) AS given_away
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
       WITH ORDINALITY AS w (schema, name, i)
 CROSS JOIN LATERAL (SELECT pg_catalog.to_regnamespace(pg_catalog.quote_ident(w.schema))::oid AS oid) AS n
  LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  LEFT JOIN dml.tracked AS t ON t.base = c.oid
  LEFT JOIN pg_catalog.pg_class AS s ON s.relkind = 'r'
       AND s.oid = pg_catalog.to_regclass('dml.' || pg_catalog.quote_ident(t.shadow))::oid
 ORDER BY w.i
