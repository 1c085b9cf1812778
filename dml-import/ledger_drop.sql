-- The ledger; the schema goes too, unless somebody else uses it: an exporter's tracking, say.
DROP TABLE dml.applied, dml.retired, dml.ledger;
DO $drop$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                      AND d.refobjid = 'dml'::pg_catalog.regnamespace
                      AND d.deptype = 'n') THEN
        DROP SCHEMA dml;
    END IF;
END
$drop$;
