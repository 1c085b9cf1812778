-- A piece of others: true of x, a row of pg_index, if a key can be its columns.
x.indisunique AND x.indisvalid AND NOT x.indisexclusion AND x.indpred IS NULL AND x.indexprs IS NULL
AND EXISTS (SELECT FROM pg_catalog.pg_class AS xc WHERE xc.oid = x.indexrelid AND xc.relam = 403)
-- Not one whose operators are others than its types' own: it tells keys apart that a target takes for
-- equal.  An operator class is that of a domain's base type.
AND NOT EXISTS (
    SELECT FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
      JOIN pg_catalog.pg_attribute AS xa ON xa.attrelid = x.indrelid AND xa.attnum = x.indkey[j]
     CROSS JOIN LATERAL (
           WITH RECURSIVE type AS (
               SELECT xa.atttypid AS oid
                UNION ALL
               SELECT t.typbasetype FROM type JOIN pg_catalog.pg_type AS t ON t.oid = type.oid AND t.typtype = 'd')
           SELECT type.oid FROM type JOIN pg_catalog.pg_type AS t ON t.oid = type.oid AND t.typtype <> 'd') AS base
      JOIN pg_catalog.pg_opclass AS u ON u.oid = x.indclass[j]
      JOIN pg_catalog.pg_opclass AS d ON d.opcmethod = 403 AND d.opcdefault AND d.opcintype IN (base.oid, u.opcintype)
      JOIN pg_catalog.pg_amop AS um ON um.amopfamily = u.opcfamily AND um.amopstrategy = 3
       AND um.amoplefttype = u.opcintype AND um.amoprighttype = u.opcintype
      JOIN pg_catalog.pg_amop AS dm ON dm.amopfamily = d.opcfamily AND dm.amopstrategy = 3
       AND dm.amoplefttype = d.opcintype AND dm.amoprighttype = d.opcintype
     WHERE um.amopopr <> dm.amopopr)
-- Nor one whose collation tells apart what the column's doesn't, or the other way round.
AND NOT EXISTS (
    SELECT FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
      JOIN pg_catalog.pg_attribute AS xa ON xa.attrelid = x.indrelid AND xa.attnum = x.indkey[j]
      JOIN pg_catalog.pg_collation AS l ON l.oid IN (xa.attcollation, x.indcollation[j])
     WHERE xa.attcollation <> x.indcollation[j] AND NOT l.collisdeterministic)
