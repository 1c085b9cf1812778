-- How to copy one table.  $1 oid of the base table, $2 columns of its key.
-- One row for each exported column, in order; what is the same in all of them: the lists and
-- the condition that finds a changed key's row through the key's index.
SELECT a.attname AS name,
       pg_catalog.format_type(a.atttypid, a.atttypmod)
           || COALESCE(' AS ' || domain.base, '') AS type,
       list.made,
       list.columns,
       list.columns_of_base,
       key.ids,
       key.of_base AS key_of_base,
       key.condition
  FROM pg_catalog.pg_attribute AS a
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg(pg_catalog.quote_ident(l.attname), ', ' ORDER BY l.attnum) AS columns,
              pg_catalog.string_agg('b.' || pg_catalog.quote_ident(l.attname), ', ' ORDER BY l.attnum)
                  AS columns_of_base,
              pg_catalog.bool_or(l.atttypid >= 16384) AS made -- a type that somebody made
         FROM pg_catalog.pg_attribute AS l
        WHERE l.attrelid = a.attrelid AND l.attnum > 0 AND NOT l.attisdropped
          AND (l.attgenerated = '' OR l.attname = ANY ($2::text[]))) AS list
 CROSS JOIN LATERAL (
       -- What is equal here may not be at the target, by a type's own operators or an index's: of a type
       -- that isn't the system's each way to write a key counts.  No cast, which its owner could make.
       SELECT pg_catalog.format('ON (%s) ', pg_catalog.string_agg(CASE WHEN ka.atttypid < 12000
                      THEN pg_catalog.format('key%s', k.i)
                      ELSE pg_catalog.format('pg_catalog.format(''%%s'', key%s) COLLATE pg_catalog."C"', k.i) END,
                  ', ' ORDER BY k.i)) || pg_catalog.string_agg('key' || k.i, ', ' ORDER BY k.i) AS ids,
              -- Distinct by the index's own collation, or one row would come twice.
              pg_catalog.string_agg(CASE WHEN col.oid IS NOT NULL
                  THEN pg_catalog.format('key%s COLLATE %I.%I AS key%s', k.i, coln.nspname, col.collname, k.i)
                  ELSE pg_catalog.format('key%s', k.i) END, ', ' ORDER BY k.i) AS of_base,
              pg_catalog.string_agg(pg_catalog.format('b.%I%s OPERATOR(%I.%s) c.key%s%s%s',
                  ka.attname, as_own.type, opn.nspname, op.oprname, k.i, as_own.type,
                  CASE WHEN col.oid IS NOT NULL
                       THEN pg_catalog.format(' COLLATE %I.%I', coln.nspname, col.collname)
                       ELSE '' END), ' AND ' ORDER BY k.i) AS condition
         FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY AS k (name, i)
         JOIN pg_catalog.pg_attribute AS ka ON ka.attrelid = a.attrelid AND ka.attname = k.name
         JOIN (SELECT x.indrelid, x.indclass, x.indcollation, x.indkey, x.indnkeyatts
                 FROM pg_catalog.pg_index AS x
                WHERE x.indrelid = $1::oid
                  AND ARRAY(SELECT xa.attname::text
                              FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
                              JOIN pg_catalog.pg_attribute AS xa
                                ON xa.attrelid = x.indrelid AND xa.attnum = x.indkey[j]
                             ORDER BY j) = $2::text[]
                  AND
\ir key_index.sql
                ORDER BY x.indisprimary DESC, x.indexrelid
                LIMIT 1) AS x ON true
         JOIN pg_catalog.pg_opclass AS o ON o.oid = x.indclass[k.i - 1]
         JOIN pg_catalog.pg_amop AS m ON m.amopfamily = o.opcfamily AND m.amopstrategy = 3
          AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype
         JOIN pg_catalog.pg_operator AS op ON op.oid = m.amopopr
         JOIN pg_catalog.pg_namespace AS opn ON opn.oid = op.oprnamespace
         -- An operator is found by what it is given: a domain could have one of its own there, anybody's.
        CROSS JOIN LATERAL (
              SELECT CASE WHEN opn.nspname = 'pg_catalog' THEN ''
                          ELSE '::' || pg_catalog.format_type(op.oprleft, -1) END AS type) AS as_own
         LEFT JOIN pg_catalog.pg_collation AS col ON col.oid = x.indcollation[k.i - 1]
         LEFT JOIN pg_catalog.pg_namespace AS coln ON coln.oid = col.collnamespace) AS key
  -- A domain's base type, for a domain of that name may be another on the other side.
  LEFT JOIN LATERAL (
       WITH RECURSIVE d AS (
           SELECT t.typbasetype AS oid, t.typtypmod AS typmod
             FROM pg_catalog.pg_type AS t WHERE t.oid = a.atttypid AND t.typtype = 'd'
            UNION ALL
           SELECT t.typbasetype, t.typtypmod
             FROM d JOIN pg_catalog.pg_type AS t ON t.oid = d.oid AND t.typtype = 'd')
       SELECT pg_catalog.format_type(d.oid, d.typmod) AS base
         FROM d JOIN pg_catalog.pg_type AS t ON t.oid = d.oid AND t.typtype <> 'd') AS domain ON true
 WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
   AND (a.attgenerated = '' OR a.attname = ANY ($2::text[]))
 ORDER BY a.attnum
