-- What all tracked tables of a database share.  Made by the first --install, dropped with the
-- last table by --uninstall.
CREATE SCHEMA IF NOT EXISTS dml;

-- The base tables.  regclass follows a rename, and pg_dump writes it as a name.
CREATE TABLE dml.tracked (
    base    regclass PRIMARY KEY,
    shadow  name     NOT NULL UNIQUE,       -- a table in this schema
    name    text     NOT NULL,              -- schema.table when it was installed
    key     text[]   NOT NULL,              -- columns, in the shadow table key1, key2 and so on
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

-- Somebody's event trigger may give it to every new table.
ALTER TABLE dml.tracked DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE dml.tracking DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE dml.history DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
