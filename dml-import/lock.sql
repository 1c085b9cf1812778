-- What locks the table of a name and tells, under the lock, whether it is still the one that was
-- found by it: whoever waited may have got another's.  $1 schema and $2 table, $3 the oid found, $4 the
-- mode of the lock.
SELECT pg_catalog.format('SET LOCAL lock_timeout = ''10s'';'
                         ' LOCK TABLE %s%I.%I IN %s MODE;'
                         ' SET LOCAL lock_timeout = ''10min'';'    -- rows that nobody lets go of
                         -- If our machine dies, the table is not to stay locked.
                         ' SET LOCAL idle_in_transaction_session_timeout = ''10min'';'
                         ' SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c'
                         '                  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace'
                         '                 WHERE n.nspname = %L AND c.relname = %L AND c.oid = %L::oid) AS still',
                         (SELECT 'ONLY ' FROM pg_catalog.pg_class AS c
                           WHERE c.oid = $3::oid AND c.relkind <> 'p'),    -- heirs are not written
                         $1::text, $2::text, $4::text, $1::text, $2::text, $3::text) AS sql
