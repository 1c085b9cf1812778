-- What was read: only what was meant?  A lock is on names when it is taken, and so is
-- each COPY; a schema may be renamed meanwhile, which no lock on a table keeps out, and a partition
-- attached.  What was read is locked to the end.
-- $1 oids of base tables, $2 their names, empty for one that was locked only: a row for each
-- table that is another now or has no business here, and which of $1 that concerns, or NULL if
-- that can't be told.
--
-- The catalogue's rows are the snapshot's, as are those of the tables; what a function says of an
-- oid is true now.
WITH RECURSIVE given AS (
    SELECT g.oid, g.base
      FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[])) AS g (oid, base)
),
tree AS (
    SELECT g.oid FROM given AS g
     UNION
    SELECT h.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS h ON h.inhparent = t.oid
),
-- To know what a partition may hold, the planner opens its parents, and they stay locked.  If one
-- took the table's place, the table was renamed.
above AS (
    SELECT g.oid FROM given AS g
     UNION
    SELECT h.inhparent FROM above AS a JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = a.oid
)
SELECT g.base AS name, true AS renamed, g.oid AS concerned
  FROM given AS g
 WHERE g.base NOT IN ('', g.oid::pg_catalog.regclass::text)
UNION ALL
SELECT l.relation::pg_catalog.regclass::text, false,
       -- The table that it is a partition of, or whose name it has, or a partition of that one.
       (SELECT g.oid FROM given AS g
         WHERE pg_catalog.to_regclass(NULLIF(g.base, ''))::oid IN (
                   SELECT l.relation UNION ALL
                   SELECT a.relid::oid FROM pg_catalog.pg_partition_ancestors(l.relation::pg_catalog.regclass) AS a)
         LIMIT 1)
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'
   AND l.relation >= 16384
   AND l.relation NOT IN (SELECT t.oid FROM tree AS t UNION ALL SELECT a.oid FROM above AS a)
   AND c.relnamespace IS DISTINCT FROM pg_catalog.to_regnamespace('dml')
   -- Of whom an index is, is locked too.  An index made since the snapshot has no row in it.
   AND CASE WHEN c.oid IS NULL
            THEN (SELECT o.type FROM pg_catalog.pg_identify_object(
                                'pg_catalog.pg_class'::pg_catalog.regclass, l.relation, 0) AS o)
                 NOT IN ('index', 'toast table')
            ELSE c.relkind NOT IN ('i', 'I', 't') END
