-- What the types of the columns copied are made of, where somebody made them, so that a later look
-- can tell whether values that are there may read otherwise: each attribute of a composite by its
-- number, each label of an enum by its place.  More of them are no harm.
-- In hexadecimal digits of the database's encoding: there may be some that the batch's can't write.
-- $1 oid of the table, $2 the columns to copy.
WITH RECURSIVE used AS (
    SELECT a.atttypid AS oid
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = $1::oid AND a.attname = ANY ($2::text[]) AND a.atttypid >= 16384
     UNION
    SELECT part.oid
      FROM used AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
     CROSS JOIN LATERAL (
\ir ../common/type_parts.sql
           ) AS part (oid)
     WHERE part.oid >= 16384
)
SELECT COALESCE(pg_catalog.array_agg(h.part ORDER BY h.part COLLATE "C"), '{}')::text AS parts
  FROM (SELECT pg_catalog.format('%s %s %s', pg_catalog.format_type(t.oid, NULL), a.attnum,
                                 pg_catalog.format_type(a.atttypid, a.atttypmod)) AS part
          FROM used AS u
          JOIN pg_catalog.pg_type AS t ON t.oid = u.oid AND t.typtype = 'c'
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
         UNION ALL
        SELECT pg_catalog.format('%s %s %s', pg_catalog.format_type(u.oid, NULL), e.enumsortorder, e.enumlabel)
          FROM used AS u
          JOIN pg_catalog.pg_enum AS e ON e.enumtypid = u.oid) AS p
 CROSS JOIN LATERAL (SELECT pg_catalog.encode(
                                pg_catalog.convert_to(p.part, pg_catalog.getdatabaseencoding()), 'hex') AS part) AS h
