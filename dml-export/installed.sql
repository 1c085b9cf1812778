-- The script that ends to track one table.  $1 the base table's name as dml.tracked holds it or,
-- where the table still exists, its oid in $2.  No row: it is not tracked.
SELECT t.key,
       t.kind,
       t.version,
       pg_catalog.concat_ws(E'\n',
           (SELECT pg_catalog.string_agg(
                       pg_catalog.format('DROP TRIGGER %I ON %s;', g.tgname, t.base), E'\n'
                       ORDER BY g.tgname)
              FROM pg_catalog.pg_trigger AS g
              JOIN pg_catalog.pg_proc AS f ON f.oid = g.tgfoid
             WHERE g.tgrelid = t.base AND f.pronamespace = 'dml'::pg_catalog.regnamespace),
           (SELECT pg_catalog.string_agg(
                       pg_catalog.format('DROP FUNCTION dml.%I();', f.proname), E'\n' ORDER BY f.proname)
              FROM pg_catalog.pg_proc AS f
             WHERE f.pronamespace = 'dml'::pg_catalog.regnamespace
               AND f.proname IN (t.shadow || ' new', t.shadow || ' gone', t.shadow || ' old',
                                 t.shadow || ' truncate', t.shadow || ' replica')),
           pg_catalog.format('DROP TABLE IF EXISTS dml.%I;', t.shadow)) AS script,
       -- A table that had this one's name before has not been exported under it since.
       pg_catalog.format(E'UPDATE dml.tracking AS t SET name = '''' FROM dml.tracking AS o\n'
                         '    WHERE o.base = %1$s AND t.base <> o.base AND t.target = o.target AND t.name = o.name\n'
                         '      AND t.number < o.number;\n'
                         'DELETE FROM dml.tracked WHERE base = %1$s;', t.base::oid) AS forget,
       t.shadow,
       t.base::oid AS base,
       -- What another role granted, whom somebody gave the table to, it doesn't keep.
       CASE WHEN s.relowner = (SELECT k.relowner FROM pg_catalog.pg_class AS k
                                WHERE k.oid = 'dml.tracked'::pg_catalog.regclass) THEN s.relacl::text END AS acl,
       (SELECT pg_catalog.string_agg(g.target, ', ' ORDER BY g.target)
          FROM dml.tracking AS g WHERE g.base = t.base) AS targets,
       -- Takes from others what they may do with a trigger's function.
       (SELECT pg_catalog.string_agg(pg_catalog.format(E'REVOKE ALL ON FUNCTION dml.%I() FROM %s;\n', f.proname,
                   CASE a.grantee WHEN 0 THEN 'PUBLIC'
                        ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END), '')
          FROM pg_catalog.pg_proc AS f
         CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(f.proacl, pg_catalog.acldefault('f', f.proowner))) AS a
         WHERE f.pronamespace = 'dml'::pg_catalog.regnamespace AND a.grantee <> f.proowner
           AND f.proname IN (t.shadow || ' new', t.shadow || ' gone', t.shadow || ' old',
                             t.shadow || ' truncate', t.shadow || ' replica')) AS revoke
  FROM dml.tracked AS t
  LEFT JOIN pg_catalog.pg_class AS b ON b.oid = t.base
  LEFT JOIN pg_catalog.pg_class AS s ON s.relname = t.shadow AND s.relkind = 'r'
       AND s.relnamespace = 'dml'::pg_catalog.regnamespace
 WHERE CASE WHEN $2::text IS NOT NULL THEN t.base = $2::text::oid
            ELSE t.name = $1::text AND b.oid IS NULL END
