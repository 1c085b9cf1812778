-- Is the index of a key sorted by another version of a collation than the server has now?  Then what is
-- there may not be found, and would be taken for deleted.
-- $1 oids of base tables, $2 whether that is so of the database's own collation: one row for each, in
-- that order, with the statement that says all indexes are sorted anew.
WITH RECURSIVE asked AS (
    SELECT b.i, x.*
      FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
      JOIN dml.tracked AS t ON t.base = b.oid
     -- As columns.sql chooses it.
     CROSS JOIN LATERAL (
           SELECT x.indrelid, x.indkey, x.indnkeyatts, x.indcollation
             FROM pg_catalog.pg_index AS x
            WHERE x.indrelid = b.oid
              AND ARRAY(SELECT xa.attname::text
                          FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
                          JOIN pg_catalog.pg_attribute AS xa
                            ON xa.attrelid = x.indrelid AND xa.attnum = x.indkey[j]
                         ORDER BY j) = t.key
              AND
\ir key_index.sql
            ORDER BY x.indisprimary DESC, x.indexrelid
            LIMIT 1) AS x
),
-- What the key's types are made of.
part AS (
    SELECT k.i, a.atttypid AS oid
      FROM asked AS k
     CROSS JOIN LATERAL pg_catalog.generate_series(0, k.indnkeyatts - 1) AS j
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.indrelid AND a.attnum = k.indkey[j]
     UNION
    SELECT u.i, p.oid
      FROM part AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
     CROSS JOIN LATERAL (
\ir ../common/type_parts.sql
           ) AS p (oid)
     WHERE p.oid <> 0
),
collated AS (
    SELECT k.i, c.oid FROM asked AS k CROSS JOIN LATERAL pg_catalog.unnest(k.indcollation::oid[]) AS c (oid)
     UNION
    SELECT u.i, a.attcollation
      FROM part AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
     UNION
    SELECT u.i, r.rngcollation FROM part AS u JOIN pg_catalog.pg_range AS r ON r.rngtypid = u.oid
     UNION
    SELECT u.i, 100 FROM part AS u WHERE u.oid = 3802 -- jsonb: its texts go by the database's
)
SELECT pg_catalog.format('REINDEX DATABASE %I', pg_catalog.current_database()) AS reindex,
       (SELECT CASE l.collprovider
               WHEN 'd' THEN pg_catalog.format('ALTER DATABASE %I REFRESH COLLATION VERSION', pg_catalog.current_database())
               ELSE pg_catalog.format('ALTER COLLATION %I.%I REFRESH VERSION', n.nspname, l.collname) END
          FROM collated AS c
          JOIN pg_catalog.pg_collation AS l ON l.oid = c.oid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = l.collnamespace
         WHERE c.i = b.i
           AND CASE l.collprovider
               WHEN 'd' THEN $2::boolean
               ELSE l.collversion <> pg_catalog.pg_collation_actual_version(l.oid) END
         ORDER BY l.oid
         LIMIT 1) AS refresh
  FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS b (oid, i)
 ORDER BY b.i
