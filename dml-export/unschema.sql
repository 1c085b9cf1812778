-- What --install made for all tables, once the last is no longer tracked; another one may have been
-- installed while this waited for its locks.  The schema goes too, unless somebody else uses it: an
-- importer's ledger, say.  What is not ours makes no difference to what is.
LOCK TABLE dml.tracked IN ACCESS EXCLUSIVE MODE;
DO $drop$
BEGIN
    IF EXISTS (SELECT FROM dml.tracked) THEN
        RETURN;
    END IF;
    DROP FUNCTION IF EXISTS dml.purge(regclass);
    DROP TABLE dml.history, dml.tracking, dml.tracked;
    DROP SEQUENCE dml.batch_number;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                      AND d.refobjid = 'dml'::pg_catalog.regnamespace
                      AND d.deptype = 'n') THEN
        DROP SCHEMA dml;
    END IF;
END
$drop$;
