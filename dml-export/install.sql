-- The script that begins to track one table.
-- $1 oid of the base table; $2 the columns of --key, or NULL; $3 'statement' or 'row';
-- $4 the version of what is made here; $5 the name of a shadow table that the script drops before,
-- or NULL, and $6 who could do what with it.  No row: no such key.
--
-- Shadow table and functions are named after the table; a name over 54 bytes is cut and ended
-- by a hash, so that the functions' names have room.  Names reach the script through %I and %L
-- only, function bodies through %L, so that no name can end a quotation.
WITH RECURSIVE
base AS (
    SELECT c.oid, n.nspname, c.relname,
           pg_catalog.pg_get_userbyid(c.relowner) AS owner,
           pg_catalog.format('%I.%I', n.nspname, c.relname) AS qualified,
           n.nspname || '.' || c.relname AS name
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid = $1::text::oid
),
-- Unique indexes over plain columns that can't be NULL.
candidate AS (
    SELECT x.indexrelid, x.indisprimary,
           ARRAY(SELECT a.attname::text
                   FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS k
                   JOIN pg_catalog.pg_attribute AS a
                     ON a.attrelid = x.indrelid AND a.attnum = x.indkey[k]
                  ORDER BY k) AS columns
      FROM pg_catalog.pg_index AS x
     WHERE x.indrelid = $1::text::oid
       AND NOT EXISTS (SELECT FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS k
                         JOIN pg_catalog.pg_attribute AS a
                           ON a.attrelid = x.indrelid AND a.attnum = x.indkey[k]
                        WHERE NOT a.attnotnull)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS v
                        WHERE v.conrelid = x.indrelid AND v.contype = 'n' AND NOT v.convalidated
                          AND v.conkey && (x.indkey::smallint[])[0:x.indnkeyatts - 1])
       AND
\ir key_index.sql
),
key AS (
    SELECT indexrelid, columns
      FROM candidate
     WHERE CASE WHEN $2::text[] IS NULL THEN indisprimary OR columns = ARRAY['id']
                ELSE columns @> $2::text[] AND columns <@ $2::text[] END
     ORDER BY indisprimary DESC, indexrelid
     LIMIT 1
),
-- A domain's base type: its checks nobody here wrote.
type AS (
    SELECT k.i, a.attname, a.atttypid AS typid, a.atttypmod AS typmod, x.indclass[k.i - 1] AS opclass
      FROM key
      JOIN pg_catalog.pg_index AS x ON x.indexrelid = key.indexrelid
     CROSS JOIN LATERAL pg_catalog.unnest(key.columns) WITH ORDINALITY AS k (name, i)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1::text::oid AND a.attname = k.name
    UNION ALL
    SELECT d.i, d.attname, t.typbasetype, t.typtypmod, d.opclass
      FROM type AS d
      JOIN pg_catalog.pg_type AS t ON t.oid = d.typid AND t.typtype = 'd'
),
-- The trigger that notes old keys asks whether a key changed: by the key's own operator where
-- equal values can't differ in their text, by their bytes where they can.  Each statement has the
-- condition parsed and planned anew, so it is written as it would be planned: by the negator.  The
-- bytes are compared by a function: a dump would write ROW(…) *<> ROW(…), which compares columns.
column_of_key AS (
    SELECT d.i,
           pg_catalog.format('key%s', d.i) AS shadow,
           pg_catalog.quote_ident(d.attname) AS base,
           pg_catalog.format_type(d.typid, d.typmod)
               || CASE WHEN t.typcollation <> 0 THEN ' COLLATE pg_catalog."C"' ELSE '' END AS type,
           CASE WHEN t.typcollation = 0 AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
                  AND o.oid IS NOT NULL
                THEN pg_catalog.format('OLD.%1$I OPERATOR(%2$I.%3$s) NEW.%1$I',
                                       d.attname, n.nspname, o.oprname)
                ELSE pg_catalog.format('pg_catalog.record_image_ne(ROW(OLD.%1$I)::record, ROW(NEW.%1$I)::record)',
                                       d.attname)
           END AS changed
      FROM type AS d
      JOIN pg_catalog.pg_type AS t ON t.oid = d.typid AND t.typtype <> 'd'
      JOIN pg_catalog.pg_opclass AS c ON c.oid = d.opclass
      JOIN pg_catalog.pg_amop AS m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
       AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
      JOIN pg_catalog.pg_operator AS e ON e.oid = m.amopopr
      LEFT JOIN pg_catalog.pg_operator AS o ON o.oid = e.oprnegate
      LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
),
-- The table's identity: what is read here is done by name, after a lock that was waited for.
identity AS (
    SELECT pg_catalog.format('SELECT pg_catalog.concat_ws('' '', c.oid, c.relowner, c.relkind, pg_catalog.string_agg('
               'pg_catalog.concat_ws('' '', a.attname, a.attnum, a.atttypid, a.atttypmod), '','' ORDER BY a.attnum))'
               ' FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid'
               ' AND a.attname = ANY (%L::pg_catalog.text[]) WHERE c.oid = pg_catalog.to_regclass(%L)'
               ' GROUP BY c.oid, c.relowner, c.relkind', key.columns, base.qualified) AS query,
           pg_catalog.concat_ws(' ', c.oid, c.relowner, c.relkind, pg_catalog.string_agg(
               pg_catalog.concat_ws(' ', a.attname, a.attnum, a.atttypid, a.atttypmod), ',' ORDER BY a.attnum)) AS value
      FROM base, key, pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
     WHERE c.oid = base.oid AND a.attname = ANY (key.columns)
     GROUP BY c.oid, c.relowner, c.relkind, key.columns, base.qualified
),
part AS (
    SELECT pg_catalog.string_agg(shadow || ' ' || type, E',\n    ' ORDER BY i) AS definitions,
           pg_catalog.string_agg(shadow, ', ' ORDER BY i) AS shadow,
           pg_catalog.string_agg(base, ', ' ORDER BY i) AS from_table,
           pg_catalog.string_agg('OLD.' || base, ', ' ORDER BY i) AS old,
           pg_catalog.string_agg('NEW.' || base, ', ' ORDER BY i) AS new,
           pg_catalog.string_agg(changed, ' OR ' ORDER BY i) AS changed
      FROM column_of_key
),
-- The longest beginning that fits; a table renamed since it was installed keeps its shadow's
-- name, so the name may be taken: then the oid tells the two apart.
stem AS (
    SELECT CASE WHEN taken THEN cut || '_' || pg_catalog.lpad(pg_catalog.to_hex(
                         pg_catalog.hashtext(name || $1::text COLLATE "C")), 8, '0')
                ELSE usual END AS name
      FROM base
     CROSS JOIN LATERAL (
           SELECT pg_catalog.left(base.name, n) AS cut
             FROM pg_catalog.generate_series(45, 1, -1) AS n
            WHERE pg_catalog.octet_length(pg_catalog.left(base.name, n)) <= 45
            LIMIT 1) AS longest
     CROSS JOIN LATERAL (
           SELECT CASE WHEN pg_catalog.octet_length(base.name) <= 54 THEN base.name
                       ELSE cut || '_' || pg_catalog.lpad(pg_catalog.to_hex(
                           pg_catalog.hashtext(base.name COLLATE "C")), 8, '0') END AS usual) AS u
     CROSS JOIN LATERAL (
           SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                           WHERE n.nspname = 'dml' AND c.relname = usual
                            AND c.relname IS DISTINCT FROM $5::text) AS taken) AS t
),
-- One function a purpose, so that no body compares anything, and nothing in one is left for
-- search_path to resolve: the table is qualified, a transition table wins over any table of its
-- name, the default of txid was bound when the table was made, and a column without a table's name
-- before it is never taken for a function of that name, should somebody rename the column.
function AS (
    SELECT f.suffix, f.body
      FROM part, stem
     CROSS JOIN LATERAL (VALUES
           ('statement', 'new', pg_catalog.format('INSERT INTO dml.%I (%s) SELECT %s FROM dml_new',
                                                  stem.name, shadow, from_table)),
           ('statement', 'gone', pg_catalog.format('INSERT INTO dml.%I (%s) SELECT %s FROM dml_old',
                                                   stem.name, shadow, from_table)),
           ('statement', 'old', pg_catalog.format('INSERT INTO dml.%I (%s) VALUES (%s)',
                                                  stem.name, shadow, old)),
           ('statement', 'replica', pg_catalog.format('INSERT INTO dml.%I (%s) VALUES (%s)',
                                                      stem.name, shadow, new)),
           ('row', 'new', pg_catalog.format('INSERT INTO dml.%I (%s) VALUES (%s)',
                                            stem.name, shadow, new)),
           ('row', 'old', pg_catalog.format('INSERT INTO dml.%I (%s) VALUES (%s)',
                                            stem.name, shadow, old)),
           ($3::text, 'truncate', pg_catalog.format('INSERT INTO dml.%I DEFAULT VALUES', stem.name))
         ) AS f (kind, suffix, body)
     WHERE f.kind = $3::text
),
-- Logical replication fires no statement triggers, but row triggers, and in the role "replica".
-- In any other session those for it cost nothing.
trigger AS (
    SELECT g.*, CASE WHEN g.name ~ '^dml_replica' THEN 'REPLICA' ELSE 'ALWAYS' END AS fires
      FROM part
     CROSS JOIN LATERAL (VALUES
           (1, 'statement', 'dml_insert', 'INSERT', 'REFERENCING NEW TABLE AS dml_new FOR EACH STATEMENT', 'new'),
           (2, 'statement', 'dml_update', 'UPDATE', 'REFERENCING NEW TABLE AS dml_new FOR EACH STATEMENT', 'new'),
           (3, 'statement', 'dml_delete', 'DELETE', 'REFERENCING OLD TABLE AS dml_old FOR EACH STATEMENT', 'gone'),
           (1, 'row', 'dml_insert', 'INSERT', 'FOR EACH ROW', 'new'),
           (2, 'row', 'dml_update', 'UPDATE', 'FOR EACH ROW', 'new'),
           (3, 'row', 'dml_delete', 'DELETE', 'FOR EACH ROW', 'old'),
           (4, $3::text, 'dml_update_key', 'UPDATE', 'FOR EACH ROW WHEN (' || changed || ')', 'old'),
           (5, $3::text, 'dml_truncate', 'TRUNCATE', 'FOR EACH STATEMENT', 'truncate'),
           (6, 'statement', 'dml_replica', 'INSERT OR UPDATE', 'FOR EACH ROW', 'replica'),
           (7, 'statement', 'dml_replica_delete', 'DELETE', 'FOR EACH ROW', 'old')
         ) AS g (i, kind, name, event, how, suffix)
     WHERE g.kind = $3::text
)
SELECT pg_catalog.concat_ws(E'\n',
           pg_catalog.format(E'CREATE TABLE dml.%I (\n    txid bigint NOT NULL DEFAULT pg_catalog.txid_current(),\n    %s\n);',
                             stem.name, part.definitions),
           pg_catalog.format('CREATE INDEX ON dml.%I USING brin (txid) WITH (pages_per_range = 32);', stem.name),
           -- As in schema.sql: what somebody's event trigger may have given it.
           pg_catalog.format('ALTER TABLE dml.%I REPLICA IDENTITY FULL, DISABLE ROW LEVEL SECURITY,'
                             ' NO FORCE ROW LEVEL SECURITY;', stem.name),
           (SELECT pg_catalog.string_agg(pg_catalog.format(
                       'CREATE FUNCTION dml.%1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS %2$L;',
                       stem.name || ' ' || f.suffix,
                       E'\n#variable_conflict use_column\nBEGIN\n    ' || f.body || E';\n    RETURN NULL;\nEND\n'),
                       E'\n' ORDER BY f.suffix)
              FROM function AS f),
           (SELECT pg_catalog.string_agg(pg_catalog.format(
                       E'CREATE TRIGGER %1$I AFTER %2$s ON %3$s %4$s EXECUTE FUNCTION dml.%5$I();\n'
                       'ALTER TABLE %3$s ENABLE %6$s TRIGGER %1$I;',
                       g.name, g.event, base.qualified, g.how, stem.name || ' ' || g.suffix, g.fires),
                       E'\n' ORDER BY g.i)
              FROM trigger AS g),
           -- All of schema dml is one role's, or dml.purge() could not do its work.
           (SELECT pg_catalog.format('ALTER TABLE dml.%I OWNER TO %I;', stem.name,
                                     pg_catalog.pg_get_userbyid(c.relowner))
              FROM pg_catalog.pg_class AS c
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = 'dml' AND c.relname = 'tracked'),
           pg_catalog.format(E'INSERT INTO dml.tracked (base, shadow, name, key, kind, version) VALUES (%L, %L, %L, %L, %L, %s)\n'
                             '    ON CONFLICT (base) DO UPDATE SET shadow = excluded.shadow, name = excluded.name,\n'
                             '    key = excluded.key, kind = excluded.kind, version = excluded.version;',
                             base.oid, stem.name, base.name, key.columns, $3::text, $4::text)) AS script,
       pg_catalog.format(E'DO %L;', pg_catalog.format(
           E'\nBEGIN\n    IF (%s)\n       IS DISTINCT FROM %L THEN\n'
           '        RAISE EXCEPTION USING ERRCODE = ''serialization_failure'', MESSAGE = %L,\n'
           '            HINT = ''run dml-export --install again'';\n    END IF;\nEND\n',
           identity.query, identity.value, 'table ' || base.qualified || ' was changed just now')) AS still,
       -- Once what defaults granted is revoked.
       pg_catalog.concat_ws(E'\n',
           -- The functions run as the table's owner, who may change its columns' types, and so what
           -- runs in them, as he likes; all he gets is to write to the shadow table.
           -- Where he runs this himself, all is his, and there is nothing to give or to take.
           (SELECT pg_catalog.format('DO %L;', pg_catalog.format(
                       E'\nDECLARE\n    creates boolean := pg_catalog.has_schema_privilege(%1$L, ''dml'', ''CREATE'');\n'
                       'BEGIN\n    IF CURRENT_USER <> %1$L THEN\n'
                       '        GRANT USAGE, CREATE ON SCHEMA dml TO %1$I;\n'
                       '        GRANT INSERT ON dml.%2$I TO %1$I;\n%3$s\n'
                       '        IF NOT creates THEN\n            REVOKE CREATE ON SCHEMA dml FROM %1$I;\n        END IF;\n'
                       '    END IF;\nEND\n',
                       base.owner, stem.name,
                       pg_catalog.string_agg(pg_catalog.format('        ALTER FUNCTION dml.%I() OWNER TO %I;',
                           stem.name || ' ' || f.suffix, base.owner), E'\n' ORDER BY f.suffix)))
              FROM function AS f),
           (SELECT pg_catalog.string_agg(pg_catalog.format('GRANT %s ON dml.%I TO %s;',
                       a.privilege_type, stem.name,
                       CASE a.grantee WHEN 0 THEN 'PUBLIC'
                            ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END), E'\n')
              FROM pg_catalog.aclexplode($6::text::aclitem[]) AS a
             WHERE a.grantee <> a.grantor),
           -- A schema may be renamed under the lock, and another take its name.
           pg_catalog.format(E'DO %L;', pg_catalog.format(
               E'\nBEGIN\n    IF (SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger AS g\n'
               '         WHERE g.tgrelid = %s AND g.tgname = ANY (%L)) <> %s THEN\n'
               '        RAISE EXCEPTION USING ERRCODE = ''serialization_failure'', MESSAGE = %L,\n'
               '            HINT = ''run dml-export --install again'';\n    END IF;\nEND\n',
               base.oid, (SELECT pg_catalog.array_agg(g.name ORDER BY g.i) FROM trigger AS g),
               (SELECT pg_catalog.count(*) FROM trigger AS g),
               'table ' || base.qualified || ' was changed just now'))) AS grants,
       key.columns
  FROM base, stem, part, key, identity
