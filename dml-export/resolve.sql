-- Which tables the names mean, and whether their kind can be replicated at all.
-- $1 schemas, $2 tables: one row for each, in that order.
SELECT c.oid,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS base,
       c.relkind,
       c.relpersistence,
       n.oid IS NOT NULL AS has_schema,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
       EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = c.oid) AS inherits,
       EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = c.oid) AS has_heirs,
       EXISTS (SELECT FROM pg_catalog.pg_trigger AS g
                WHERE g.tgrelid = c.oid AND g.tgname = 'dml_insert' AND g.tgparentid <> 0) AS goes_along
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
       WITH ORDINALITY AS w (schema, name, i)
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
  LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
 ORDER BY w.i
