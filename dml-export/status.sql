-- One row for each tracked table and target.  $1 oids of base tables, or NULL for all.
-- A target holds the purge back if another has exported what it hasn't.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
       pg_catalog.format('dml.%I', t.shadow) AS shadow,
       pg_catalog.array_to_string(ARRAY(
           SELECT 's.key' || k FROM pg_catalog.generate_series(1, pg_catalog.cardinality(t.key)) AS k), ', ') AS key,
       c.oid IS NULL AS gone,
       t.name AS recorded,
       g.target,
       g.number,
       pg_catalog.to_char(g.exported, 'YYYY-MM-DD HH24:MI:SS"Z"') AS exported,
       pg_catalog.pg_snapshot_xmax(g.snapshot) AS xmax,
       (SELECT pg_catalog.string_agg(x::text, ',') FROM pg_catalog.pg_snapshot_xip(g.snapshot) AS x) AS xip,
       CASE WHEN s.oid IS NOT NULL
            THEN pg_catalog.pg_size_pretty(pg_catalog.pg_total_relation_size(s.oid)) END AS size,
       pg_catalog.pg_snapshot_xmin(g.snapshot)::text::bigint
           < pg_catalog.max(pg_catalog.pg_snapshot_xmin(g.snapshot)::text::bigint) OVER (PARTITION BY t.base)
       AND pg_catalog.pg_snapshot_xmin(g.snapshot)::text::bigint
           = pg_catalog.min(pg_catalog.pg_snapshot_xmin(g.snapshot)::text::bigint) OVER (PARTITION BY t.base)
           AS holds
  FROM dml.tracked AS t
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.base
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class AS s ON s.relname = t.shadow AND s.relkind = 'r'
       AND s.relnamespace = 'dml'::pg_catalog.regnamespace
  LEFT JOIN dml.tracking AS g ON g.base = t.base
 WHERE $1::oid[] IS NULL OR t.base = ANY ($1::oid[])
 ORDER BY n.nspname, c.relname, g.target
