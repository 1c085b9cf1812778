-- How far each chain has come, and why it can't simply go on.
-- $1 oids of base tables, $2 targets, $3 lineage and $4 names of the tables, $5 digests of their
-- columns, $6 of their triggers and partitions, all as long as $1 but $2: a row for each pair, by
-- table, then target.
WITH latest AS (        -- of whatever table, under each name
    SELECT o.target, o.name, pg_catalog.max(o.number) AS number
      FROM dml.tracking AS o
     WHERE o.target = ANY ($2::text[])
     GROUP BY o.target, o.name
)
SELECT t.base IS NOT NULL AS known,
       t.chain,
       t.number,
       t.seal,
       t.snapshot,
       pg_catalog.pg_snapshot_xmax(t.snapshot) AS xmax,
       (SELECT pg_catalog.string_agg(x::text, ',') FROM pg_catalog.pg_snapshot_xip(t.snapshot) AS x) AS xip,
       -- Transaction ids that went back, by pg_resetwal, leave changes below what was exported.
       t.lineage <> b.lineage
           OR pg_catalog.pg_snapshot_xmax(t.snapshot)
              > pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) AS moved,
       t.name <> b.name AS renamed,
       t.number < latest.number AS replaced,
       GREATEST(latest.number, taken.number, 0) AS name_number,
       pg_catalog.split_part(t.columns, '/', 1) <> pg_catalog.split_part(b.columns, '/', 1)
           OR pg_catalog.split_part(t.columns, '/', 2) <> pg_catalog.split_part(b.columns, '/', 2)
           -- What types are made of: more is no harm, a label more for example.
           OR NOT (pg_catalog.string_to_array(pg_catalog.split_part(t.columns, '/', 3), ',')
                   OPERATOR(pg_catalog.<@)
                   pg_catalog.string_to_array(pg_catalog.split_part(b.columns, '/', 3), ',')) AS reshaped,
       pg_catalog.split_part(t.triggers, '/', 1) <> pg_catalog.split_part(b.triggers, '/', 1) AS rewritten,
       t.triggers <> b.triggers AS rewired
  FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($3::text[]),
                  pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[]),
                  pg_catalog.unnest($6::text[]))
       WITH ORDINALITY AS b (oid, lineage, name, columns, triggers, i)
 CROSS JOIN pg_catalog.unnest($2::text[]) WITH ORDINALITY AS g (target, j)
  LEFT JOIN dml.tracking AS t ON t.base = b.oid AND t.target = g.target
  LEFT JOIN latest ON latest.target = t.target AND latest.name = t.name
  LEFT JOIN latest AS taken ON taken.target = g.target AND taken.name = b.name
 ORDER BY b.i, g.j
