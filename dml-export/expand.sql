-- Tables whose names match a pattern.  $1 regular expressions of schemas, $2 of tables.  A condition
-- on c may follow.
SELECT DISTINCT w.i, n.nspname AS schema, c.relname AS name
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
       WITH ORDINALITY AS w (schema, name, i)
  JOIN pg_catalog.pg_namespace AS n
    ON n.nspname ~ w.schema AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'dml')
  JOIN pg_catalog.pg_class AS c
    ON c.relnamespace = n.oid AND c.relname ~ w.name AND c.relkind IN ('r', 'p')
 WHERE true
