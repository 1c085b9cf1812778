-- How to write one table.  $1 its oid, $2 the columns of the key, $3 the columns to copy.  Where no
-- index finds a row by the key, there is neither condition nor definitions.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation,
       CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END AS only,
       c.relkind = 'r' AND NOT c.relhastriggers AND c.relchecks = 0
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS d
                        WHERE d.attrelid = c.oid AND d.attnum > 0 AND NOT d.attisdropped
                          AND (d.atthasdef AND d.attname <> ALL ($3::text[])
                            OR d.atttypid >= 12000 AND NOT EXISTS ( -- it may be, or hold, a domain
                                   SELECT FROM pg_catalog.pg_type AS dt
                                     LEFT JOIN pg_catalog.pg_type AS de ON de.oid = dt.typelem
                                    WHERE dt.oid = d.atttypid AND 'e' IN (dt.typtype, de.typtype)))) AS bare,
       c.relkind = 'p' OR c.relhastriggers AS hooked,
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(l.name), ', ' ORDER BY l.i)
          FROM pg_catalog.unnest($3::text[]) WITH ORDINALITY AS l (name, i)) AS list,
       (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s %s', l.name, la.attnum,
                   pg_catalog.format_type(la.atttypid, la.atttypmod)), ',' ORDER BY l.i)
          FROM pg_catalog.unnest($3::text[]) WITH ORDINALITY AS l (name, i)
          JOIN pg_catalog.pg_attribute AS la ON la.attrelid = c.oid AND la.attname = l.name
           AND la.attnum > 0) AS columns,
       EXISTS (SELECT FROM pg_catalog.pg_attribute AS ma
                WHERE ma.attrelid = c.oid AND ma.attname = ANY ($3::text[]) AND ma.atttypid >= 16384) AS made,
       key.definitions,
       key.condition
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 LEFT JOIN LATERAL (
       -- An index, in whatever order, over just the key; its operators tell what is equal, but for
       -- text: what a collation here takes for equal may be two rows at the source.
       SELECT x.* FROM pg_catalog.pg_index AS x
         JOIN pg_catalog.pg_class AS xc ON xc.oid = x.indexrelid AND xc.relam IN (403, 405)
        WHERE NOT x.indisexclusion AND x.indrelid = c.oid AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
          AND x.indnkeyatts = pg_catalog.cardinality($2::text[])
          AND (SELECT pg_catalog.count(DISTINCT xa.attnum) FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
                 JOIN pg_catalog.pg_attribute AS xa ON xa.attrelid = c.oid AND xa.attnum = x.indkey[j]
                  AND xa.attcollation = x.indcollation[j]
                WHERE xa.attname = ANY ($2::text[])) = x.indnkeyatts
        ORDER BY x.indisunique DESC, x.indexrelid LIMIT 1) AS x ON true
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg('key' || k.i || ' ' || pg_catalog.format_type(ka.atttypid, ka.atttypmod),
                                    ', ' ORDER BY k.i) AS definitions,
              pg_catalog.string_agg(pg_catalog.format('t.%I%s OPERATOR(%I.%s) c.key%s%s%s',
                  ka.attname, as_own.type, opn.nspname, op.oprname, k.i, as_own.type,
                  CASE WHEN ka.attcollation <> 0
                       THEN pg_catalog.format(' COLLATE %I.%I', coln.nspname, col.collname)
                       ELSE '' END)
                  || CASE WHEN NOT col.collisdeterministic
                          THEN pg_catalog.format(' AND t.%I%s COLLATE pg_catalog."C" OPERATOR(%I.%s) c.key%s%s',
                                                 ka.attname, as_own.type, opn.nspname, op.oprname, k.i, as_own.type)
                          ELSE '' END, ' AND ' ORDER BY k.i) AS condition
         FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY AS k (name, i)
         JOIN pg_catalog.pg_attribute AS ka ON ka.attrelid = c.oid AND ka.attname = k.name
         JOIN pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j ON x.indkey[j] = ka.attnum
         JOIN pg_catalog.pg_opclass AS o ON o.oid = x.indclass[j]
         JOIN pg_catalog.pg_amop AS m ON m.amopfamily = o.opcfamily
          AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype
          AND m.amopstrategy = CASE WHEN o.opcmethod = 403 THEN 3 ELSE 1 END
         JOIN pg_catalog.pg_operator AS op ON op.oid = m.amopopr
         JOIN pg_catalog.pg_namespace AS opn ON opn.oid = op.oprnamespace
         -- An operator is found by what it is given: a domain could have one of its own there, anybody's.
        CROSS JOIN LATERAL (
              SELECT CASE WHEN opn.nspname = 'pg_catalog' THEN ''
                          ELSE '::' || pg_catalog.format_type(op.oprleft, -1) END AS type) AS as_own
         LEFT JOIN pg_catalog.pg_collation AS col ON col.oid = ka.attcollation
         LEFT JOIN pg_catalog.pg_namespace AS coln ON coln.oid = col.collnamespace
        WHERE o.opcmethod IN (403, 405)) AS key
 WHERE c.oid = $1::oid
