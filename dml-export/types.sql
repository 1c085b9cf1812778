-- What values of types that somebody made look like: an enum's labels, a composite's attributes.
-- $1 oids of base tables: one row for each, in that order.
WITH RECURSIVE used AS (
    SELECT b.i, a.atttypid AS oid
      FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
      JOIN dml.tracked AS k ON k.base = b.oid
      JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND (a.attgenerated = '' OR a.attname = ANY (k.key))
     UNION
    SELECT u.i, part.oid
      FROM used AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
     CROSS JOIN LATERAL (
\ir ../common/type_parts.sql
           ) AS part (oid)
     WHERE part.oid <> 0 AND t.oid >= 16384
),
-- A label is known by its oid; of a composite, everything counts.  Whoever renamed a label and gave
-- it its name back, or added an attribute and dropped it, left another xmin, though all looks as
-- before: the rows that were read meanwhile don't.
shape AS (
    SELECT u.i, u.oid, e.oid AS part,
           pg_catalog.encode(pg_catalog.convert_to(e.enumlabel, pg_catalog.getdatabaseencoding()), 'hex')
               || ' ' || e.xmin::text AS what
      FROM used AS u JOIN pg_catalog.pg_enum AS e ON e.enumtypid = u.oid
    UNION ALL
    SELECT u.i, u.oid, 0, pg_catalog.string_agg(
                              pg_catalog.format('%s %s %s', a.attnum, a.atttypid, a.xmin), ' ' ORDER BY a.attnum)
      FROM used AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid AND t.typtype = 'c' AND t.oid >= 16384
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0
     GROUP BY u.i, u.oid
)
SELECT COALESCE(pg_catalog.string_agg(pg_catalog.format('%s-%s-%s', s.oid, s.part, s.what), ','
                                      ORDER BY s.oid, s.part) FILTER (WHERE s.oid IS NOT NULL), '') AS parts
  FROM pg_catalog.generate_series(1, pg_catalog.cardinality($1::oid[])) AS b (i)
  LEFT JOIN shape AS s ON s.i = b.i
 GROUP BY b.i
 ORDER BY b.i
