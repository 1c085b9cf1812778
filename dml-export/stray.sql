-- What drops our triggers from a table that is not tracked.  $1 its oid.
SELECT COALESCE(pg_catalog.string_agg(
           pg_catalog.format(E'DROP TRIGGER %I ON %I.%I;\n', g.tgname, n.nspname, c.relname), ''
           ORDER BY g.tgname), '') AS script
  FROM pg_catalog.pg_trigger AS g
  JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_proc AS f ON f.oid = g.tgfoid
  JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.pronamespace
 WHERE g.tgrelid = $1::text::oid AND g.tgparentid = 0 AND fn.nspname = 'dml'
   AND g.tgname IN ('dml_insert', 'dml_update', 'dml_delete', 'dml_update_key', 'dml_truncate',
                    'dml_replica', 'dml_replica_delete')
