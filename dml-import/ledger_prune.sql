-- Tables that were dropped: what the ledger knew of them.  A dump would write their bare oids, and
-- where it is restored these are other tables'.  Another importer may be doing the same.
WITH gone AS (
    SELECT l.relation FROM dml.ledger AS l
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = l.relation)
       FOR UPDATE SKIP LOCKED
), retired AS (
    DELETE FROM dml.retired AS r WHERE r.relation IN (SELECT gone.relation FROM gone)
), applied AS (
    DELETE FROM dml.applied AS a WHERE a.relation IN (SELECT gone.relation FROM gone)
)
DELETE FROM dml.ledger AS l WHERE l.relation IN (SELECT gone.relation FROM gone)
