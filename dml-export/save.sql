-- The state after a batch, in the transaction that read it.
-- $1 oid, $2 target, $3 chain, $4 chain that it retires or NULL, $5 number, $6 seal, $7 snapshot,
-- $8 lineage, $9 name, $10 columns, $11 triggers, $12 time, $13 scope, $14 ids, $15 rows,
-- $16 bytes
WITH history AS (
    INSERT INTO dml.history (base, target, number, scope, seal, exported, ids, rows, bytes)
    VALUES ($1::oid, $2, $5::bigint, $13, $6, $12::timestamptz, $14::bigint, $15::bigint, $16::bigint)
)
INSERT INTO dml.tracking AS t (base, target, chain, retires, number, seal, snapshot, lineage, name,
                               columns, triggers, exported)
VALUES ($1::oid, $2, $3::uuid, $4::uuid, $5::bigint, $6, $7::pg_snapshot, $8, $9, $10, $11,
        $12::timestamptz)
ON CONFLICT (base, target) DO UPDATE SET
    chain = excluded.chain, retires = excluded.retires, number = excluded.number,
    seal = excluded.seal, snapshot = excluded.snapshot, lineage = excluded.lineage,
    name = excluded.name, columns = excluded.columns, triggers = excluded.triggers,
    exported = excluded.exported
