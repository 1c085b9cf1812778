-- The CREATE TABLE for the receiving side.  $1 oid of the base table, $2 columns of its key, or
-- NULL: then the primary key, else a unique, not-null index on id.
--
-- No defaults, sequences, foreign keys or triggers: the rows come as they are.  A generated column
-- isn't exported, so the target computes its own, but for one of the key; a virtual one (PostgreSQL 18)
-- is stored there, which every version can.
WITH attribute AS (
    SELECT a.*, a.attnotnull
           -- From version 18 on, that may be said and not be true yet.
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS v
                            WHERE v.conrelid = a.attrelid AND v.contype = 'n' AND NOT v.convalidated
                              AND a.attnum = ANY (v.conkey)) AS never_null
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = $1::oid
)
SELECT pg_catalog.concat(
           CASE WHEN n.nspname <> 'public'
                THEN pg_catalog.format(E'CREATE SCHEMA IF NOT EXISTS %I;\n', n.nspname) ELSE '' END,
           pg_catalog.format(E'CREATE TABLE %I.%I (\n', n.nspname, c.relname),
           pg_catalog.string_agg(
               pg_catalog.format('    %I %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod))
                   || CASE WHEN a.attcollation <> t.typcollation
                           THEN pg_catalog.format(' COLLATE %I.%I', ln.nspname, l.collname) ELSE '' END
                   || CASE WHEN a.attgenerated <> '' AND a.attname <> ALL (COALESCE(key.names, '{}'))
                           THEN pg_catalog.format(' GENERATED ALWAYS AS (%s) STORED',
                                                  pg_catalog.pg_get_expr(d.adbin, d.adrelid)) ELSE '' END
                   || CASE WHEN a.never_null THEN ' NOT NULL' ELSE '' END,
               E',\n' ORDER BY a.attnum),
           CASE WHEN key.names IS NOT NULL
                THEN pg_catalog.format(E',\n    PRIMARY KEY (%s)', (
                         SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.name), ', ' ORDER BY k.i)
                           FROM pg_catalog.unnest(key.names) WITH ORDINALITY AS k (name, i))) ELSE '' END,
           E'\n);\n') AS ddl,
       key.names IS NOT NULL AS has_key,
       spare.columns AS spare
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
  LEFT JOIN LATERAL (
       SELECT CASE WHEN $2::text[] IS NULL THEN (
                   SELECT pg_catalog.array_agg(ka.attname::text ORDER BY k)
                     FROM (SELECT x.* FROM pg_catalog.pg_index AS x
                            WHERE x.indrelid = c.oid
                              AND (x.indisprimary OR x.indnkeyatts = 1 AND EXISTS (
                                   SELECT FROM attribute AS ia
                                    WHERE ia.attrelid = c.oid AND ia.attnum = x.indkey[0]
                                      AND ia.attname = 'id' AND ia.never_null))
                              AND
\ir key_index.sql
                            ORDER BY x.indisprimary DESC, x.indexrelid LIMIT 1) AS i
                    CROSS JOIN pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k
                     JOIN pg_catalog.pg_attribute AS ka
                       ON ka.attrelid = c.oid AND ka.attnum = i.indkey[k])
              ELSE $2::text[] END AS names) AS key ON true
  -- A key that --install --key would take.
  LEFT JOIN LATERAL (
       SELECT (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(sa.attname), ',' ORDER BY k)
                 FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS k
                 JOIN attribute AS sa
                   ON sa.attrelid = c.oid AND sa.attnum = x.indkey[k] AND sa.never_null
               HAVING pg_catalog.count(*) = x.indnkeyatts) AS columns
         FROM pg_catalog.pg_index AS x
        WHERE x.indrelid = c.oid
          AND
\ir key_index.sql
        ORDER BY 1 LIMIT 1) AS spare ON true
 WHERE c.oid = $1::oid
 GROUP BY n.nspname, c.relname, key.names, spare.columns
