-- How to write one table of the plain kind, as most are: the columns sent, of the same types of the
-- system's, no other one that has to be filled, a unique index over the key that goes by its
-- columns' own types and collations; and but for triggers, checks and defaults nobody's code runs.
-- Nothing of problems.sql is true then, and its many questions and those of target.sql need not be
-- planned.  A row for each column sent, in order; fewer if the table isn't plain.
-- $1 oid of the table, $2 names and $3 types of the columns sent, $4 columns of the key.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation,
       c.relhastriggers AS hooked,               -- those of foreign keys that refer to it among them
       NOT c.relhastriggers AND c.relchecks = 0
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS d
                        WHERE d.attrelid = c.oid AND d.attnum > 0 AND d.atthasdef
                          AND d.attname <> ALL ($2::text[])) AS bare,
       pg_catalog.quote_ident(a.attname) AS quoted,
       a.attnum AS number,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       pg_catalog.array_position($4::text[], s.name) AS key, -- its place there
       CASE a.attcollation WHEN 0 THEN ''
                           WHEN 100 THEN ' COLLATE pg_catalog."default"'
                           WHEN 950 THEN ' COLLATE pg_catalog."C"' END AS collation
  FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]))
       WITH ORDINALITY AS s (name, type, i)
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1::oid AND a.attname = s.name
  JOIN pg_catalog.pg_class AS c ON c.oid = $1::oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relhasrules
   AND NOT pg_catalog.row_security_active(c.oid)
   AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
   AND a.atttypid < 12000                        -- else it may be a domain here, of a type's name there
   AND pg_catalog.format_type(a.atttypid, a.atttypmod) = s.type
   -- "char", name and varchar, of which so many bytes may be kept.
   AND (a.atttypid NOT IN (18, 19, 1002, 1003, 1043, 1015)
        OR pg_catalog.current_setting('client_encoding') = pg_catalog.getdatabaseencoding())
   AND (a.attcollation IN (0, 100, 950) OR a.attname <> ALL ($4::text[]))
   AND (SELECT pg_catalog.count(DISTINCT d.name) FROM pg_catalog.unnest($2::text[]) AS d (name))
       = pg_catalog.cardinality($2::text[])
   AND NOT EXISTS (
       SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = $1::oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped
          AND NOT a.atthasdef AND a.attidentity = '' AND a.attname <> ALL ($2::text[]))
   AND EXISTS (
       SELECT FROM pg_catalog.pg_index AS x
        WHERE x.indrelid = $1::oid AND x.indisunique AND x.indisvalid AND NOT x.indisexclusion
          AND x.indpred IS NULL AND x.indexprs IS NULL
          AND x.indnkeyatts = pg_catalog.cardinality($4::text[])
          -- What the default class of a type's own operators calls equal is "="; varchar goes by those
          -- of text, cidr by those of inet.
          AND (SELECT pg_catalog.count(DISTINCT xa.attnum)
                 FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
                 JOIN pg_catalog.pg_attribute AS xa ON xa.attrelid = $1::oid AND xa.attnum = x.indkey[j]
                  AND xa.attcollation = x.indcollation[j]
                 JOIN pg_catalog.pg_opclass AS o ON o.oid = x.indclass[j] AND o.opcdefault AND o.opcmethod = 403
                  AND o.opcintype = CASE xa.atttypid WHEN 1043 THEN 25 WHEN 650 THEN 869 ELSE xa.atttypid END
                WHERE xa.attname = ANY ($4::text[])) = x.indnkeyatts)
 ORDER BY s.i
