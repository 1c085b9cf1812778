-- A piece of others: what type t, a row of pg_type, is made of.  Their oids, 0 for none.
SELECT t.typelem
 UNION ALL SELECT t.typbasetype
 UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid
 -- A multirange depends on its range.
 UNION ALL SELECT d.refobjid FROM pg_catalog.pg_depend AS d
            WHERE t.typtype = 'm' AND d.objid = t.oid AND d.deptype = 'i'
              AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
              AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
 UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
