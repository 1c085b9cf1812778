-- How to copy one table of the plain kind, as most are: each type is the system's, and the key's
-- index goes by its columns' own types and collations.  No row, or one that isn't plain: then
-- columns.sql must be asked, which knows the others, too, and takes ten times as long to plan.
-- $1 oid of the base table, $2 columns of its key.  One row for each exported column, in order.
SELECT a.attname AS name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       pg_catalog.quote_ident(a.attname) AS quoted,
       pg_catalog.array_position($2::text[], a.attname::text) AS key, -- its place there
       CASE a.attcollation WHEN 0 THEN ''
                           WHEN 100 THEN ' COLLATE pg_catalog."default"'
                           WHEN 950 THEN ' COLLATE pg_catalog."C"' END AS collation,
       -- The types of information_schema are domains.
       a.atttypid < 12000 AND (a.attcollation IN (0, 100, 950) OR a.attname <> ALL ($2::text[])) AS plain
  FROM pg_catalog.pg_attribute AS a
 WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
   AND (a.attgenerated = '' OR a.attname = ANY ($2::text[]))
   AND EXISTS (
       SELECT FROM pg_catalog.pg_index AS x
         JOIN pg_catalog.pg_class AS ic ON ic.oid = x.indexrelid AND ic.relam = 403
        WHERE NOT x.indisexclusion AND x.indrelid = $1::oid AND x.indisunique AND x.indisvalid
          AND x.indpred IS NULL AND x.indexprs IS NULL
          AND ARRAY(SELECT xa.attname::text
                      FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
                      JOIN pg_catalog.pg_attribute AS xa
                        ON xa.attrelid = x.indrelid AND xa.attnum = x.indkey[j]
                      -- What the default class of a type's own operators calls equal is "="; varchar goes
                      -- by those of text, cidr by those of inet.
                      JOIN pg_catalog.pg_opclass AS o ON o.oid = x.indclass[j] AND o.opcdefault
                       AND o.opcintype = CASE xa.atttypid WHEN 1043 THEN 25 WHEN 650 THEN 869 ELSE xa.atttypid END
                     WHERE xa.attcollation = x.indcollation[j]
                     ORDER BY j) = $2::text[])
 ORDER BY a.attnum
