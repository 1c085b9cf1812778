-- ALTER DEFAULT PRIVILEGES may have given rights on what this transaction has made: to execute a
-- SECURITY DEFINER function, say.  Only the owner keeps any, and who has them by such a default for
-- just schema dml, which is meant for its tables.  A savepoint, which psql may set, has a greater
-- number than its transaction, and so a lesser age.  So may have what another granted meanwhile: but
-- that one has committed, or nobody would see it.
DO $revoke$
DECLARE
    statement pg_catalog.text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.format('REVOKE %s ON %s %s FROM %s', a.privilege_type, o.kind, o.name,
                   CASE a.grantee WHEN 0 THEN 'PUBLIC'
                        ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
          FROM (SELECT 'SCHEMA' AS kind, n.nspname::pg_catalog.text AS name, n.nspowner AS owner,
                       n.nspacl AS acl, n.xmin AS made
                  FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'dml'
                UNION ALL
                SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                       c.oid::pg_catalog.regclass::pg_catalog.text, c.relowner, c.relacl, c.xmin
                  FROM pg_catalog.pg_class AS c
                 WHERE c.relnamespace = 'dml'::pg_catalog.regnamespace AND c.relkind IN ('r', 'S')
                UNION ALL
                SELECT 'FUNCTION', p.oid::pg_catalog.regprocedure::pg_catalog.text, p.proowner,
                       COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)), p.xmin
                  FROM pg_catalog.pg_proc AS p
                 WHERE p.pronamespace = 'dml'::pg_catalog.regnamespace) AS o
         CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS a
         CROSS JOIN LATERAL (
               SELECT pg_catalog.age(pg_catalog.pg_current_xact_id()::pg_catalog.xid)::pg_catalog.int8
                      - pg_catalog.age(o.made) AS later) AS m
         CROSS JOIN LATERAL (
               SELECT (pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 + GREATEST(m.later, 0))
                      ::pg_catalog.text::pg_catalog.xid8 AS xact) AS x
         -- From xmax on none has ended, so what is seen of those is ours.  The server refuses to tell
         -- the status of a number that it has not given yet.
         WHERE CASE WHEN m.later < 0 THEN false
                    WHEN x.xact >= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) THEN true
                    ELSE pg_catalog.pg_xact_status(x.xact) = 'in progress' END
           AND a.grantee <> o.owner
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_default_acl AS d
                            CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS k
                            WHERE d.defaclnamespace = 'dml'::pg_catalog.regnamespace
                              AND d.defaclobjtype = CASE o.kind WHEN 'TABLE' THEN 'r'
                                                                WHEN 'SEQUENCE' THEN 'S' END
                              AND k.grantee = a.grantee AND k.privilege_type = a.privilege_type)
    LOOP
        EXECUTE statement;
    END LOOP;
END
$revoke$;
