-- Notes a batch, in the transaction that applied it.
-- $1 oid, $2 origin, $3 chain, $4 number, $5 seal, $6 system, $7 timeline, $8 database,
-- $9 snapshot, $10 taken, $11 base, $12 scope, $13 ids, $14 rows, $15 the chain that its manifest
-- retires, or NULL, $16 target, $17 the number at which it retires that, $18 the chains of batches
-- that this one makes needless, $20 their numbers, $24 bases and $25 seals, $19 a digest of the columns
-- written, $21 the name that they were written by, $22 the encoding that they were read by, $23 whether
-- there are names of objects among them
WITH retired AS (
    INSERT INTO dml.retired (relation, chain, number, system, timeline, database)
    SELECT $1::oid, o.chain, pg_catalog.max(o.number), $6, $7::bigint, $8
      FROM (SELECT l.chain, l.number FROM dml.ledger AS l WHERE l.relation = $1::oid
            UNION ALL SELECT $15::uuid, $17::bigint
            UNION ALL SELECT c.chain, c.number
                        FROM ROWS FROM (pg_catalog.unnest($18::uuid[]), pg_catalog.unnest($20::bigint[]))
                             AS c (chain, number)) AS o
     WHERE o.chain <> $3::uuid
     GROUP BY o.chain
    ON CONFLICT DO NOTHING
), applied AS (
    INSERT INTO dml.applied (relation, chain, number, base, seal, scope, ids, rows, applied)
    VALUES ($1::oid, $3::uuid, $4::bigint, $11::bigint, $5, $12, $13::bigint, $14::bigint, pg_catalog.now())
), needless AS (
    INSERT INTO dml.applied (relation, chain, number, base, seal, scope, ids, rows, applied)
    SELECT $1::oid, n.chain, n.number, n.base, n.seal, 'needless', 0, 0, pg_catalog.now()
      FROM ROWS FROM (pg_catalog.unnest($18::uuid[]), pg_catalog.unnest($20::bigint[]),
                      pg_catalog.unnest($24::bigint[]), pg_catalog.unnest($25::text[]))
           AS n (chain, number, base, seal)
     WHERE n.chain <> $3::uuid OR n.number < $4::bigint
    ON CONFLICT DO NOTHING
), pruned AS (
    DELETE FROM dml.applied AS a
     WHERE a.relation = $1::oid
       AND (a.chain, a.number) IN (SELECT o.chain, o.number FROM dml.applied AS o
                                    WHERE o.relation = $1::oid
                                    ORDER BY o.chain = $3::uuid DESC, o.number DESC OFFSET 1000)
)
INSERT INTO dml.ledger (relation, origin, target, columns, chain, number, seal, system, timeline, database,
                        snapshot, taken, applied)
VALUES ($1::oid, $2, $16, $19, $3::uuid, $4::bigint, $5, $6, $7::bigint, $8, $9, $10::timestamptz, pg_catalog.now())
ON CONFLICT (relation) DO UPDATE SET
    origin = excluded.origin, target = excluded.target,
    columns = excluded.columns, chain = excluded.chain, number = excluded.number,
    seal = excluded.seal, system = excluded.system, timeline = excluded.timeline,
    database = excluded.database, snapshot = excluded.snapshot, taken = excluded.taken,
    applied = excluded.applied
-- Is it the table's first, and may we tidy up?
RETURNING NOT EXISTS (SELECT FROM dml.ledger AS l WHERE l.relation = $1::oid)
      AND pg_catalog.has_table_privilege('dml.ledger', 'DELETE')
      AND pg_catalog.has_table_privilege('dml.retired', 'DELETE') AS prune,
-- A lock holds a table's name, but not its schema's: what was written may be another's.
          (pg_catalog.to_regclass($21)::oid = $1::oid) IS TRUE AS still,
-- The batch is removed once COMMIT has answered, whatever a trigger thinks of how durable that is.
          pg_catalog.set_config('synchronous_commit',
              COALESCE(NULLIF(pg_catalog.current_setting('synchronous_commit'), 'off'), 'on'), true) AS durable,
-- Nor do our settings last: code that runs between the rows may have changed by what they are read.
          pg_catalog.concat_ws(', ',
              CASE WHEN pg_catalog.current_setting('client_encoding') <> $22 THEN 'client_encoding' END,
              CASE WHEN pg_catalog.current_setting('IntervalStyle') <> 'postgres' THEN 'IntervalStyle' END,
              CASE WHEN pg_catalog.current_setting('array_nulls') <> 'on' THEN 'array_nulls' END,
              CASE WHEN pg_catalog.current_setting('xmloption') <> 'content' THEN 'xmloption' END,
              CASE WHEN pg_catalog.current_setting('lc_monetary') <> 'C' THEN 'lc_monetary' END,
              CASE WHEN $23::boolean AND pg_catalog.current_setting('search_path') NOT IN ('', '""')
                   THEN 'search_path' END) AS changed
