-- A piece of others: who owns object part.oid of class part.class; NULL if it is none of these.
CASE part.class
WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass
    THEN (SELECT p.proowner FROM pg_catalog.pg_proc AS p WHERE p.oid = part.oid)
WHEN 'pg_catalog.pg_type'::pg_catalog.regclass
    THEN (SELECT t.typowner FROM pg_catalog.pg_type AS t WHERE t.oid = part.oid)
WHEN 'pg_catalog.pg_operator'::pg_catalog.regclass
    THEN (SELECT o.oprowner FROM pg_catalog.pg_operator AS o WHERE o.oid = part.oid)
WHEN 'pg_catalog.pg_opclass'::pg_catalog.regclass
    THEN (SELECT c.opcowner FROM pg_catalog.pg_opclass AS c WHERE c.oid = part.oid)
WHEN 'pg_catalog.pg_opfamily'::pg_catalog.regclass
    THEN (SELECT f.opfowner FROM pg_catalog.pg_opfamily AS f WHERE f.oid = part.oid)
END
