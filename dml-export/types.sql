-- What values of types that somebody made look like: an enum's labels, a composite's attributes.
-- $1 oids of base tables: one row for each, in that order.
WITH RECURSIVE used AS (
    SELECT b.i, a.atttypid AS oid
      FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
      JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     UNION
    SELECT u.i, part.oid
      FROM used AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
     CROSS JOIN LATERAL (
           SELECT t.typelem
            UNION ALL SELECT t.typbasetype
            UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid
            UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
                       WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
           ) AS part (oid)
     WHERE part.oid <> 0 AND t.oid >= 16384
),
shape AS (
    SELECT u.i, u.oid, e.oid AS part, e.enumlabel::text AS name
      FROM used AS u JOIN pg_catalog.pg_enum AS e ON e.enumtypid = u.oid
    UNION ALL
    SELECT u.i, u.oid, a.attnum::integer::oid, a.atttypid::text
      FROM used AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid AND t.typtype = 'c'
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT COALESCE(pg_catalog.md5(pg_catalog.string_agg(
                    pg_catalog.format('%s %s %L', s.oid, s.part, s.name), ',' ORDER BY s.oid, s.part)
                    FILTER (WHERE s.oid IS NOT NULL)), '') AS digest
  FROM pg_catalog.generate_series(1, pg_catalog.cardinality($1::oid[])) AS b (i)
  LEFT JOIN shape AS s ON s.i = b.i
 GROUP BY b.i
 ORDER BY b.i
