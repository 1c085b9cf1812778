-- A role that is no superuser and can't become one, but owns schema dml or one of the tables there that
-- both programs keep, and so could make use of us; of shadow tables rows are only read.  NULL if there
-- is none, or we need not care: we are no such great one ourselves.  $1 whether something is to be
-- made: then the roles must be our own.
SELECT pg_catalog.min(role.rolname) AS master
  FROM (SELECT n.nspowner AS owner FROM pg_catalog.pg_namespace AS n
         WHERE n.nspname = 'dml'
        UNION ALL
        SELECT c.relowner FROM pg_catalog.pg_namespace AS n
          JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
         WHERE n.nspname = 'dml'
           AND c.relname IN ('tracked', 'tracking', 'history', 'batch_number', 'ledger', 'retired', 'applied')) AS o
  JOIN pg_catalog.pg_roles AS role ON role.oid = o.owner
 WHERE NOT
\ir great.sql
   AND (EXISTS (SELECT FROM pg_catalog.pg_roles AS role WHERE role.rolname = SESSION_USER AND
\ir great.sql
           )
     OR $1::boolean AND NOT pg_catalog.pg_has_role(role.oid, 'USAGE'))
