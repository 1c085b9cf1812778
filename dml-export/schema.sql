-- What all tracked tables of a database share.  Made by the first --install, dropped with the
-- last table by --uninstall.
CREATE SCHEMA IF NOT EXISTS dml;

-- The base tables.  regclass follows a rename, and pg_dump writes it as a name.
CREATE TABLE dml.tracked (
    base    regclass PRIMARY KEY,
    shadow  name     NOT NULL UNIQUE,       -- a table in this schema
    name    text     NOT NULL,              -- schema.table when it was installed
    key     text[]   NOT NULL,              -- columns, in the shadow table key1, key2, …
    kind    text     NOT NULL CHECK (kind IN ('statement', 'row')),
    version integer  NOT NULL,              -- of the shadow table, triggers and functions
    purged  bigint                          -- no shadow row has a txid below this
);

-- How far each target's chain has come: one row for each table and target.
CREATE TABLE dml.tracking (
    base       regclass    NOT NULL REFERENCES dml.tracked ON DELETE CASCADE,
    target     text        NOT NULL,        -- HOST/DB
    chain      uuid        NOT NULL,
    retires    uuid,                        -- the chain before
    number     bigint      NOT NULL,
    seal       text        NOT NULL,        -- of that batch's manifest
    snapshot   pg_snapshot NOT NULL,        -- the next batch begins where it ends
    lineage    text        NOT NULL,        -- cluster, timeline, database, table, shadow table
    name       text        NOT NULL,        -- of the table then
    columns    text        NOT NULL,        -- digest of the exported columns / of their catalogue's rows / what their types are made of
    triggers   text        NOT NULL,        -- the table's file / a digest of our triggers and of partitions' files
    exported   timestamptz NOT NULL,
    PRIMARY KEY (base, target)
);

-- Every batch, until a thousand later ones push it out.
CREATE TABLE dml.history (
    base     regclass    NOT NULL REFERENCES dml.tracked ON DELETE CASCADE,
    target   text        NOT NULL,
    number   bigint      NOT NULL,
    scope    text        NOT NULL,
    seal     text        NOT NULL,
    exported timestamptz NOT NULL,
    ids      bigint      NOT NULL,
    rows     bigint      NOT NULL,
    bytes    bigint      NOT NULL,          -- of data.gz
    PRIMARY KEY (base, target, number)
);

CREATE SEQUENCE dml.batch_number;

-- Deletes the shadow rows that every target has exported and summarizes the rest, so that the
-- next export finds the new ones.  SECURITY DEFINER, for summarizing is the owner's right.
-- Where another run is at it already, there is nothing to do.  What is kept for a slower target is
-- not read again each time: as long as that one has not moved, and below where the last purge came
-- to, there is nothing to delete.
CREATE FUNCTION dml.purge(base regclass) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $purge$
DECLARE
    shadow  text;
    before  bigint;
    horizon bigint;
    deleted bigint := 0;
BEGIN
    IF NOT pg_catalog.pg_try_advisory_xact_lock(1684892161, base::oid::integer) THEN
        RETURN 0;
    END IF;
    SELECT format('dml.%I', t.shadow), t.purged INTO shadow, before
      FROM dml.tracked AS t WHERE t.base = purge.base;
    IF shadow IS NULL THEN
        RETURN 0;
    END IF;
    SELECT min(pg_snapshot_xmin(t.snapshot)::text::bigint) INTO horizon
      FROM dml.tracking AS t WHERE t.base = purge.base;
    IF horizon IS NULL THEN
        EXECUTE 'DELETE FROM ' || shadow;
        GET DIAGNOSTICS deleted = ROW_COUNT;
    ELSIF horizon IS DISTINCT FROM before THEN
        EXECUTE 'DELETE FROM ' || shadow || ' WHERE txid >= $1 AND txid < $2'
          USING CASE WHEN before < horizon THEN before ELSE 0 END, horizon;
        GET DIAGNOSTICS deleted = ROW_COUNT;
    END IF;
    IF horizon IS DISTINCT FROM before THEN
        UPDATE dml.tracked AS t SET purged = horizon WHERE t.base = purge.base;
    END IF;
    -- No range of the index is full before.
    IF pg_relation_size(shadow::regclass) >= 32 * current_setting('block_size')::integer THEN
        PERFORM brin_summarize_new_values(i.indexrelid) FROM pg_catalog.pg_index AS i
          WHERE i.indrelid = shadow::regclass;
    END IF;
    IF NOT EXISTS (SELECT FROM dml.history AS h WHERE h.base = purge.base OFFSET 1000) THEN
        RETURN deleted;
    END IF;
    DELETE FROM dml.history AS h USING dml.tracking AS t
     WHERE h.base = purge.base AND t.base = h.base AND t.target = h.target
       AND h.number <= (SELECT o.number FROM dml.history AS o
                         WHERE o.base = h.base AND o.target = h.target
                         ORDER BY o.number DESC OFFSET 1000 LIMIT 1);
    RETURN deleted;
END
$purge$;
REVOKE ALL ON FUNCTION dml.purge(regclass) FROM PUBLIC;
