-- How far each chain has come, and why it can't simply go on.
-- $1 oids of base tables, $2 targets, $3 lineage and $4 names of the tables, $5 digests of their
-- columns, $6 of their triggers and partitions, all as long as $1 but $2: a row for each pair, by
-- table, then target.
SELECT t.base IS NOT NULL AS known,
       t.chain,
       t.number,
       t.seal,
       t.snapshot,
       pg_catalog.pg_snapshot_xmax(t.snapshot) AS xmax,
       (SELECT pg_catalog.string_agg(x::text, ',') FROM pg_catalog.pg_snapshot_xip(t.snapshot) AS x) AS xip,
       t.lineage <> b.lineage AS moved,
       t.name <> b.name AS renamed,
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
 ORDER BY b.i, g.j
