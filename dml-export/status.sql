-- One row for each tracked table and target.  $1 oids of base tables, or NULL for all.
--
-- Nothing here waits for a lock on one of these tables: the others' rows are to be printed.
--
-- The shadow rows are kept from the least xmin on that a target's last snapshot has: it is the
-- earliest snapshot's, and is that of a transaction which was open then and may be still.
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
       s.oid AS shadow_oid,
       -- Nor where its owner's code would run.
       pg_catalog.has_table_privilege(s.oid, 'SELECT')
           AND s.relowner = (SELECT k.relowner FROM pg_catalog.pg_class AS k
                              WHERE k.oid = 'dml.tracked'::pg_catalog.regclass) AS readable,
       t.base::oid AS base,
       c.relkind = 'p' AS partitioned,
       c.relpersistence <> 'p' AS unlogged,
       -- Then statement triggers miss what others write.
       t.kind <> 'row' AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = t.base) AS bypassed,
       k.least = pg_catalog.min(k.least) OVER (PARTITION BY t.base) AS last,
       k.least::text IN (SELECT x::text FROM pg_catalog.pg_snapshot_xip(pg_catalog.pg_current_snapshot()) AS x)
           AS open,
       pg_catalog.to_char(COALESCE(
           (SELECT p.prepared FROM pg_catalog.pg_prepared_xacts AS p WHERE p.transaction = k.xid),
           (SELECT a.xact_start FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_xid = k.xid)),
           'YYYY-MM-DD HH24:MI:SS"Z"') AS since
  FROM dml.tracked AS t
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.base
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class AS s ON s.relname = t.shadow AND s.relkind = 'r'
       AND s.relnamespace = 'dml'::pg_catalog.regnamespace
  LEFT JOIN dml.tracking AS g ON g.base = t.base
 CROSS JOIN LATERAL (
       SELECT pg_catalog.pg_snapshot_xmin(g.snapshot)::text::bigint AS least,
              pg_catalog.pg_snapshot_xmin(g.snapshot)::pg_catalog.xid AS xid) AS k
 WHERE $1::oid[] IS NULL OR t.base = ANY ($1::oid[])
 ORDER BY n.nspname, c.relname, t.base, g.target
