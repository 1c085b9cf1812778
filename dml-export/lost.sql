-- A piece of a query, after expand.sql: the names that tracked tables had, and which another table
-- has now or none: a table that was made anew was dropped, and took its triggers along.
UNION
SELECT w.i, n.schema, n.name
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
       WITH ORDINALITY AS w (schema, name, i)
 CROSS JOIN dml.tracked AS t
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.base
  LEFT JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
  LEFT JOIN LATERAL (
       SELECT o.nspname AS schema, r.relname AS name
         FROM pg_catalog.pg_class AS r
         JOIN pg_catalog.pg_namespace AS o ON o.oid = r.relnamespace
        WHERE o.nspname || '.' || r.relname = t.name AND r.relkind IN ('r', 'p')) AS other ON true
 -- Wherever a name that nothing has is cut, the same goes to --uninstall.
 CROSS JOIN LATERAL (
       SELECT COALESCE(other.schema, pg_catalog.split_part(t.name, '.', 1)::name) AS schema,
              COALESCE(other.name, pg_catalog.substr(t.name, pg_catalog.strpos(t.name, '.') + 1)::name) AS name) AS n
 WHERE (c.oid IS NULL OR s.nspname || '.' || c.relname <> t.name)
   AND (c.oid IS NULL OR other.name IS NOT NULL)
   AND n.schema ~ w.schema AND n.name ~ w.name
