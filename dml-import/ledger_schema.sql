-- The importer's state in the target database.  No defaults and no checks: see nobody.sql.
CREATE SCHEMA IF NOT EXISTS dml;

-- How far each table has come.  regclass: a table that is dropped and made anew begins anew.
CREATE TABLE IF NOT EXISTS dml.ledger (
    relation regclass    PRIMARY KEY,       -- the table that is written
    origin   text        NOT NULL,          -- schema.table at the source, as the manifest has it
    target   text        NOT NULL,          -- HOST/DB that its batches were made for
    chain    uuid        NOT NULL,
    number   bigint      NOT NULL,
    seal     text        NOT NULL,          -- of that batch's manifest
    system   text        NOT NULL,          -- the source's cluster, timeline and database
    timeline bigint      NOT NULL,
    database text        NOT NULL,
    columns  text        NOT NULL,          -- a digest of those written, their places and types, and what made types are made of; '' if rows may be lost since, 'changed' if values
    snapshot text        NOT NULL,          -- of the source, in which the batch was read
    taken    timestamptz NOT NULL,          -- when, by the source's clock
    applied  timestamptz NOT NULL
);

-- Chains that a later one took the place of: their last number, and where that one began.
CREATE TABLE IF NOT EXISTS dml.retired (
    relation regclass NOT NULL,
    chain    uuid     NOT NULL,
    number   bigint   NOT NULL,
    system   text     NOT NULL,
    timeline bigint   NOT NULL,
    database text     NOT NULL,
    PRIMARY KEY (relation, chain)
);

-- Every batch, until a thousand later ones push it out.  Scope 'needless': it was waiting when a full
-- batch was applied that has all of it.
CREATE TABLE IF NOT EXISTS dml.applied (
    relation regclass    NOT NULL,
    chain    uuid        NOT NULL,
    number   bigint      NOT NULL,
    base     bigint      NOT NULL,          -- the number that it built on
    seal     text        NOT NULL,
    scope    text        NOT NULL,
    ids      bigint      NOT NULL,
    rows     bigint      NOT NULL,
    applied  timestamptz NOT NULL,
    PRIMARY KEY (relation, chain, number)
);
