-- Whose code would run with our rights when a table's rows are asked for: the planner computes what is
-- constant in the expressions of its indexes and statistics, and the operators of its indexes
-- compare keys.  Whoever owns a function can put something else in its place.  $1 oid of the table.
--
-- Asked in a session of its own, this must lock nothing: who waits there for a table that the run has
-- locked would be waited for by the run.  So partitions are looked up in the catalogue.
WITH RECURSIVE opened AS (
    SELECT $1::oid AS oid
     UNION
    SELECT h.inhrelid
      FROM opened
      JOIN pg_catalog.pg_class AS c ON c.oid = opened.oid AND c.relkind = 'p'
      JOIN pg_catalog.pg_inherits AS h ON h.inhparent = c.oid
),
part AS (
   (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS class, x.indexrelid AS oid
      FROM opened JOIN pg_catalog.pg_index AS x ON x.indrelid = opened.oid
    UNION ALL
    -- By what its partitions are told apart.
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, p.partrelid
      FROM opened JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = opened.oid
    UNION ALL
    SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass::oid, e.oid
      FROM opened JOIN pg_catalog.pg_statistic_ext AS e ON e.stxrelid = opened.oid)
     UNION
    SELECT next.class, next.oid
      FROM part
     CROSS JOIN LATERAL (
           SELECT d.refclassid AS class, d.refobjid AS oid
             FROM pg_catalog.pg_depend AS d
            WHERE d.classid = part.class AND d.objid = part.oid
              AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
                                   'pg_catalog.pg_operator'::pg_catalog.regclass,
                                   'pg_catalog.pg_opclass'::pg_catalog.regclass,
                                   'pg_catalog.pg_opfamily'::pg_catalog.regclass)
           UNION ALL
           -- On a class or family of operators hangs what an index calls.
           SELECT d.classid, d.objid
             FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = part.class AND d.refobjid = part.oid
              AND part.class IN ('pg_catalog.pg_opclass'::pg_catalog.regclass,
                                 'pg_catalog.pg_opfamily'::pg_catalog.regclass)
              AND d.classid IN ('pg_catalog.pg_amproc'::pg_catalog.regclass,
                                'pg_catalog.pg_amop'::pg_catalog.regclass)
           ) AS next
),
owned AS (
    SELECT part.*,
\ir ../common/owner.sql
           AS owner
      FROM part
)
SELECT pg_catalog.pg_describe_object(owned.class, owned.oid, 0) AS object, role.rolname AS role
  FROM owned JOIN pg_catalog.pg_roles AS role ON role.oid = owned.owner
 WHERE NOT
\ir ../common/great.sql
 ORDER BY owned.class, owned.oid
 LIMIT 1
