-- True of most tables: the columns sent, of the same built-in types, no other one that has to be
-- filled, a unique index over the key, and nobody but the table itself has a part in what is
-- written.  Nothing of problems.sql is true then, and its many questions need not be planned.  The
-- same $1 to $4.
SELECT c.relkind = 'r' AND c.relpersistence = 'p'
       AND NOT c.relhastriggers             -- those of foreign keys that refer to it among them
       AND NOT c.relhasrules
       AND NOT pg_catalog.row_security_active(c.oid)
       AND $4::text[] OPERATOR(pg_catalog.<@) $2::text[]
       AND (SELECT pg_catalog.count(DISTINCT a.attnum) = pg_catalog.cardinality($2::text[])
              FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS s (name, type)
              JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1::oid AND a.attname = s.name
             WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
               AND a.atttypid < 16384       -- else it may be a domain here, of a type's name there
               AND pg_catalog.format_type(a.atttypid, a.atttypmod) = s.type)
       AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = $1::oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped
              AND NOT a.atthasdef AND a.attidentity = '' AND a.attname <> ALL ($2::text[]))
       AND EXISTS (
           SELECT FROM pg_catalog.pg_index AS x
            WHERE x.indrelid = $1::oid AND x.indisunique AND x.indisvalid AND NOT x.indisexclusion
              AND x.indpred IS NULL AND x.indexprs IS NULL
              AND x.indnkeyatts = pg_catalog.cardinality($4::text[])
              AND (SELECT pg_catalog.count(*)
                     FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = $1::oid AND a.attname = ANY ($4::text[])
                      AND a.attnum = ANY ((x.indkey::smallint[])[0:x.indnkeyatts - 1])
                      AND a.attcollation = (x.indcollation::oid[])[
                              pg_catalog.array_position(x.indkey::smallint[], a.attnum)]) = x.indnkeyatts) AS alike
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = $1::oid
