-- Is dml.purge() as purge.sql, which is $1, makes it?  Its owner and its settings decide with whose
-- rights it runs, and what.  From the catalogue, which everybody may read.
SELECT EXISTS (
           SELECT FROM pg_catalog.pg_namespace AS n
             JOIN pg_catalog.pg_class AS t ON t.relnamespace = n.oid AND t.relname = 'tracked'
             JOIN pg_catalog.pg_proc AS p ON p.pronamespace = n.oid AND p.proname = 'purge'
              AND p.pronargs = 1 AND p.proargtypes[0] = 'pg_catalog.regclass'::pg_catalog.regtype
            WHERE n.nspname = 'dml' AND p.proowner = t.relowner AND p.prosecdef
              AND p.prosrc = pg_catalog.split_part($1::text, '$purge$', 2)
              AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp', 'enable_seqscan=off']) AS made
