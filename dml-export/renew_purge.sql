-- What puts dml.purge() right beside purge.sql, which keeps the owner of one that is there, and who may
-- call it.  Where it has another owner than dml.tracked, it is dropped before: that is the right of the
-- schema's owner, too.  What it was granted comes after.
SELECT p.oid IS NOT NULL AND p.proowner = t.relowner AS stays,
       CASE WHEN p.oid IS NOT NULL THEN E'DROP FUNCTION dml.purge(pg_catalog.regclass);\n' END AS before,
       pg_catalog.concat(
           (SELECT pg_catalog.string_agg(pg_catalog.format(
                       E'GRANT EXECUTE ON FUNCTION dml.purge(pg_catalog.regclass) TO %s;\n',
                       CASE a.grantee WHEN 0 THEN 'PUBLIC'
                            ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END), '')
              FROM pg_catalog.aclexplode(p.proacl) AS a
             WHERE a.grantee <> p.proowner),
           pg_catalog.format(E'ALTER FUNCTION dml.purge(pg_catalog.regclass) OWNER TO %I;\n',
                             pg_catalog.pg_get_userbyid(t.relowner))) AS after
  FROM pg_catalog.pg_class AS t
  LEFT JOIN pg_catalog.pg_proc AS p ON p.pronamespace = t.relnamespace AND p.proname = 'purge'
       AND p.pronargs = 1 AND p.proargtypes[0] = 'pg_catalog.regclass'::pg_catalog.regtype
 WHERE t.oid = 'dml.tracked'::pg_catalog.regclass
