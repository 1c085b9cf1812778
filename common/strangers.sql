-- Whose code would run with our rights when the tables are written: each object that has a part in it
-- and belongs to a role that can't become a superuser.  Whoever owns a function, a type or an operator can
-- put something else in its place.  $1 the tables, regclass[].
--
-- Of an array the planner expects few members: for the thousand rows that it expects of a function
-- it would make hash tables of megabytes, and read all of pg_proc and pg_class into others.
WITH RECURSIVE member AS (
    SELECT pg_catalog.unnest($1::pg_catalog.regclass[]::oid[] || ARRAY(
               SELECT p.relid::oid
                 FROM pg_catalog.unnest($1::pg_catalog.regclass[]) AS t (root),
                      pg_catalog.pg_partition_tree(t.root) AS p)) AS oid
     UNION
    -- Before version 18, what a foreign key changes along has triggers that run with our rights.
    SELECT k.conrelid
      FROM member
      JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = member.oid AND g.tgisinternal
      JOIN pg_catalog.pg_constraint AS k ON k.oid = g.tgconstraint AND k.contype = 'f' AND k.confrelid = member.oid
       AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
),
part AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS class, oid FROM member
     UNION
    SELECT next.class, next.oid
      FROM part
     CROSS JOIN LATERAL (
           -- What it is made of: the types of columns, the functions of triggers and expressions.
           SELECT d.refclassid AS class, d.refobjid AS oid
             FROM pg_catalog.pg_depend AS d
            WHERE d.classid = part.class AND d.objid = part.oid
              AND d.refclassid <> 'pg_catalog.pg_namespace'::pg_catalog.regclass
           UNION ALL
           -- What hangs on a table of ours, or on a domain: triggers, rules, policies, defaults,
           -- constraints, indexes, and statistics, whose expressions the planner computes.  And on a
           -- class or family of operators: what an index calls.
           SELECT d.classid, d.objid
             FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = part.class AND d.refobjid = part.oid
              AND (part.class = 'pg_catalog.pg_class'::pg_catalog.regclass
                       AND part.oid IN (SELECT member.oid FROM member)
                OR part.class = 'pg_catalog.pg_type'::pg_catalog.regclass
                       AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                OR part.class IN ('pg_catalog.pg_opclass'::pg_catalog.regclass,
                                  'pg_catalog.pg_opfamily'::pg_catalog.regclass))
              AND (d.classid IN ('pg_catalog.pg_attrdef'::pg_catalog.regclass,
                                 'pg_catalog.pg_constraint'::pg_catalog.regclass,
                                 'pg_catalog.pg_trigger'::pg_catalog.regclass,
                                 'pg_catalog.pg_policy'::pg_catalog.regclass,
                                 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass,
                                 'pg_catalog.pg_amproc'::pg_catalog.regclass,
                                 'pg_catalog.pg_amop'::pg_catalog.regclass)
                OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                       AND (SELECT true FROM pg_catalog.pg_index AS x WHERE x.indexrelid = d.objid)
                OR d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                       AND EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r
                                    WHERE r.oid = d.objid AND r.ev_class = part.oid))
           ) AS next
),
owned AS (
    SELECT part.*,
           COALESCE(
\ir owner.sql
           , (SELECT r.relowner FROM pg_catalog.pg_class AS r
               WHERE part.class = 'pg_catalog.pg_class'::pg_catalog.regclass
                 AND r.oid = part.oid AND r.oid IN (SELECT member.oid FROM member))) AS owner
      FROM part
)
SELECT pg_catalog.pg_describe_object(owned.class, owned.oid, 0) AS object, role.rolname AS role
  FROM owned JOIN pg_catalog.pg_roles AS role ON role.oid = owned.owner
 WHERE NOT
\ir great.sql
 ORDER BY owned.class, owned.oid
 LIMIT 1
