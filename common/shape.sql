-- What the types of a table's columns are made of, where somebody made them: attributes of
-- composites, subtypes of ranges, and so on down, by their names.  A domain around it all is not
-- part of that.  $1 oid of the table, $2 the columns, NULL for all: others' names may be such that the
-- encoding spoken lacks them; a row for each column that has such a type.
WITH RECURSIVE bare AS (
    SELECT a.attname, a.atttypid AS oid
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384
       AND ($2::text[] IS NULL OR a.attname = ANY ($2::text[]))
    UNION ALL
    SELECT b.attname, t.typbasetype
      FROM bare AS b JOIN pg_catalog.pg_type AS t ON t.oid = b.oid AND t.typtype = 'd'
),
used AS (
    SELECT b.attname, b.oid
      FROM bare AS b JOIN pg_catalog.pg_type AS t ON t.oid = b.oid AND t.typtype <> 'd'
    UNION
    SELECT u.attname, part.oid
      FROM used AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
     CROSS JOIN LATERAL (
\ir type_parts.sql
           ) AS part (oid)
     WHERE part.oid >= 16384
)
SELECT u.attname AS name,
       pg_catalog.string_agg(pg_catalog.format_type(t.oid, NULL) || ' ' || made.of, '; '
                             ORDER BY pg_catalog.format_type(t.oid, NULL) COLLATE pg_catalog."C") AS shape
  FROM used AS u
  JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
 CROSS JOIN LATERAL (
       SELECT CASE t.typtype
              WHEN 'c' THEN (SELECT '(' || pg_catalog.string_agg(
                                        pg_catalog.format('%I %s', a.attname,
                                            pg_catalog.format_type(a.atttypid, a.atttypmod)),
                                        ', ' ORDER BY a.attnum) || ')'
                               FROM pg_catalog.pg_attribute AS a
                              WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
              WHEN 'r' THEN (
\ir range_parts.sql
                   )
              WHEN 'd' THEN 'domain of ' || pg_catalog.format_type(t.typbasetype, t.typtypmod)
              END AS of) AS made
 WHERE made.of IS NOT NULL
 GROUP BY u.attname
