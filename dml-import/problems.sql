-- Why a table can't take a batch: a row for each reason, with what would mend it, and with what stands
-- in the ledger for the columns from now on if only a full batch may follow: '' where rows may be lost,
-- 'changed' where values may be.  Asked unless plain.sql knows the table, which it must not where any
-- of this is true.
-- $1 oid of the table, $2 names and $3 types of the columns sent, $4 columns of the key, $5 columns
-- here whose types are made of something and $6 of what (shape.sql), $7 whether the columns here are
-- no more what the batch before was written to: then a type that doesn't fit has changed its values.
-- $8 the scope: before a full batch, the types may have been right; $9 the command that exports all rows.
WITH relation AS (
    SELECT c.*, pg_catalog.format('%I.%I', n.nspname, c.relname) AS qualified
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid = $1::oid
),
-- The table and, if it is partitioned, its partitions.
member AS (
    SELECT $1::oid AS oid
     UNION SELECT p.relid FROM relation, pg_catalog.pg_partition_tree(relation.oid::pg_catalog.regclass) AS p
            WHERE relation.relkind = 'p'
),
-- A type as "declared AS base MADE OF shape"; in quotation marks, such words are part of a name.
sent AS (
    SELECT s.name, s.i, of.part[1] AS type, of.part[2] AS shape,
           COALESCE(domain.part, ARRAY[of.part[1], of.part[1]]) AS declared_and_base
      FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]))
           WITH ORDINALITY AS s (name, type, i)
     CROSS JOIN LATERAL (
           SELECT COALESCE(pg_catalog.regexp_match(s.type, '^((?:[^"]|"[^"]*")*?)(?: MADE OF (.*))?$'),
                           ARRAY[s.type, NULL]) AS part) AS of
     CROSS JOIN LATERAL (
           SELECT pg_catalog.regexp_match(of.part[1], '^((?:[^"]|"[^"]*")*?) AS (.*)$') AS part) AS domain
),
-- Both types.  Where a domain is the same on both sides, or only a domain there, the base decides.
typed AS (
    SELECT s.name, s.i, s.type, s.declared_and_base[1] AS declared, s.declared_and_base[2] AS base,
           s.shape, made.shape AS shape_here,
           a.attname, a.attgenerated,
           s.name = ANY ($4::text[]) AS is_key,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS here,
           domain.base AS base_here
      FROM sent AS s
      LEFT JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = $1::oid AND a.attname = s.name AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN ROWS FROM (pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::text[])) AS made (name, shape)
        ON made.name = s.name
      LEFT JOIN LATERAL (
           WITH RECURSIVE d AS (
               SELECT t.typbasetype AS oid, t.typtypmod AS typmod
                 FROM pg_catalog.pg_type AS t WHERE t.oid = a.atttypid AND t.typtype = 'd'
                UNION ALL
               SELECT t.typbasetype, t.typtypmod
                 FROM d JOIN pg_catalog.pg_type AS t ON t.oid = d.oid AND t.typtype = 'd')
           SELECT pg_catalog.format_type(d.oid, d.typmod) AS base
             FROM d JOIN pg_catalog.pg_type AS t ON t.oid = d.oid AND t.typtype <> 'd') AS domain ON true
),
-- What is to be compared, bare and with the numbers in parentheses: numeric(10,2) is numeric, 10, 2; but
-- not where a name is in quotation marks, which may hold parentheses.
compared AS (
    SELECT t.*, c.source, c.target,
           pg_catalog.regexp_replace(c.source, '^([^"(]*)\([0-9, -]+\)([^"]*)$', '\1\2') AS bare,
           pg_catalog.regexp_replace(c.target, '^([^"(]*)\([0-9, -]+\)([^"]*)$', '\1\2') AS bare_here,
           pg_catalog.regexp_match(c.source, '^[^"(]*\(([0-9]+)(?:,([0-9-]+))?\)[^"]*$')::integer[] AS size,
           pg_catalog.regexp_match(c.target, '^[^"(]*\(([0-9]+)(?:,([0-9-]+))?\)[^"]*$')::integer[] AS size_here
      FROM typed AS t
     CROSS JOIN LATERAL (
           SELECT t.base AS source,
                  CASE WHEN t.base_here IS NULL OR t.here = t.declared
                       THEN COALESCE(t.base_here, t.here) ELSE t.here END AS target) AS c
),
-- A type that takes every value of the other and prints it alike.  Where in doubt: no.  A key must
-- also be equal where the source's is: there, text only stands for text.
misfit AS (
    SELECT * FROM compared
     WHERE attname IS NOT NULL AND target <> source
       AND NOT (target IN ('text', 'character varying')
                AND (NOT is_key OR bare IN ('text', 'character varying', 'name')))
       AND NOT (source = 'smallint' AND target IN ('integer', 'bigint', 'numeric')
             OR source = 'integer' AND target IN ('bigint', 'numeric')
             OR source = 'bigint' AND target = 'numeric')
       AND NOT (bare = bare_here AND bare NOT IN ('character', 'bit', 'character[]', 'bit[]')
                AND CASE WHEN size_here IS NULL THEN true
                         WHEN size IS NULL THEN false
                         WHEN bare LIKE 'numeric%' THEN COALESCE(size_here[2], 0) = COALESCE(size[2], 0)
                              AND size_here[1] >= size[1]
                         ELSE size_here[1] >= size[1] END)
),
-- Values of some types are cut to so many bytes, without a word, and the source's may take more here;
-- where a database has no encoding, varchar(n) counts bytes, and cuts the blanks beyond.
cut AS (
    SELECT compared.*
      FROM compared
     CROSS JOIN (SELECT pg_catalog.current_setting('client_encoding') AS there,
                        pg_catalog.getdatabaseencoding() AS here) AS encoding
     WHERE attname IS NOT NULL AND encoding.there <> encoding.here
       AND CASE encoding.here
           WHEN 'SQL_ASCII' THEN bare_here LIKE 'character varying%' AND size_here IS NOT NULL
                OR shape_here LIKE '% character varying(%'
           ELSE target IN ('name', 'name[]', '"char"', '"char"[]')
                OR shape_here ~ ' (name|"char")(\[\])?($|[,);]| COLLATE )' END
),
-- Columns that the batch doesn't bring and that no default, identity or expression fills.
unfilled AS (
    SELECT a.attname AS name, a.attnum, a.attnotnull AS needed,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid AND t.typdefault IS NULL
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
       AND NOT a.atthasdef AND a.attidentity = ''
       AND a.attname <> ALL ($2::text[]) AND a.attname <> ALL ($4::text[])
),
-- Such a column, and one of the same type that is lacking: it looks as if it had been renamed.  One
-- that may be NULL may as well be the target's own.
alike AS (
    SELECT u.name, u.needed, l.i, l.name AS new_name
      FROM (SELECT unfilled.*,
                   pg_catalog.row_number() OVER (PARTITION BY type ORDER BY needed DESC, attnum) AS n
              FROM unfilled) AS u
      JOIN (SELECT s.name, s.i, s.type, pg_catalog.row_number() OVER (PARTITION BY s.type ORDER BY i) AS n
              FROM (SELECT typed.name, typed.i, typed.declared AS type FROM typed WHERE attname IS NULL) AS s) AS l
        ON l.type = u.type AND l.n = u.n
),
renamed AS (
    SELECT * FROM alike WHERE needed
),
-- A type that may stand in a hint: people paste hints, and batches come from elsewhere.  One name,
-- quoted or not, or one of those of several words; a schema before it, numbers and brackets behind.
-- Is it here?  No to_regtype(): that fails where the schema may not be used, or the numbers aren't valid.
printable AS (
    SELECT t.i, t.declared AS type,
           CASE WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_type AS y WHERE pg_catalog.format_type(y.oid, NULL) = bare.type)
                THEN 'make type ' || t.declared || ' first, or its extension; then ' ELSE '' END AS before
      FROM typed AS t
     CROSS JOIN LATERAL (
           SELECT pg_catalog.regexp_replace(t.declared, '(\([0-9,-]+\))|(\[\]$)|((?<=^interval) .*$)', '', 'g') AS type) AS bare
     WHERE t.declared ~ ('^(("[A-Za-z0-9_ .]+"|[a-z_][a-z0-9_]*)\.)?'
                     '("[A-Za-z0-9_ .]+"|[a-z_][a-z0-9_]*|double precision|character varying|bit varying'
                     '|(timestamp|time)(\([0-9]\))? with(out)? time zone|interval [a-z]+( to [a-z]+)?)'
                     '(\([0-9]+(,-?[0-9]+)?\))?(\[\])?$')
)
SELECT problem,
       CASE WHEN rank = 3 AND $7::boolean OR rank = 1 AND $8 = 'changes'
            THEN pg_catalog.rtrim(hint, ';') || '; then export all rows with ' || $9 ELSE hint END AS hint,
       CASE WHEN rank IN (12, 13) THEN ''
            WHEN rank = 3 AND $7::boolean OR rank = 11 AND $8 = 'changes' THEN 'changed' END AS doubt
  FROM (
    SELECT 1 AS rank, compared.i, pg_catalog.format('it lacks column %I', compared.name) AS problem,
           CASE WHEN alike.name IS NULL THEN ''
                ELSE pg_catalog.format('if %1$I was renamed %2$s, ALTER TABLE %3$s RENAME COLUMN %1$I TO %4$I; else ',
                                       alike.name, CASE $8 WHEN 'full' THEN 'at the source' ELSE 'here' END,
                                       relation.qualified, compared.name) END
           || COALESCE(printable.before
                    || pg_catalog.format('ALTER TABLE %s ADD COLUMN %I ', relation.qualified, compared.name)
                    || printable.type || ';', 'compare it with dml-export --target-ddl') AS hint
      FROM compared LEFT JOIN printable USING (i) LEFT JOIN alike USING (i), relation
     WHERE attname IS NULL AND alike.needed IS NOT TRUE
    UNION ALL
    SELECT 0, i, pg_catalog.format('it lacks column %I, and column %I, which may not be NULL, is not in the batch',
                                   new_name, name),
           pg_catalog.format('ALTER TABLE %s RENAME COLUMN %I TO %I;', relation.qualified, name, new_name)
      FROM renamed, relation
    UNION ALL
    SELECT 2, attnum, pg_catalog.format('column %I, which may not be NULL, is not in the batch', name),
           pg_catalog.format('if it is of no use here, ALTER TABLE %1$s DROP COLUMN %2$I; else%3$s'
                             ' ALTER TABLE %1$s ALTER COLUMN %2$I DROP NOT NULL;', relation.qualified, name,
               CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_index AS p
                                  WHERE p.indrelid = $1::oid AND p.indisprimary AND attnum = ANY (p.indkey))
                    THEN ' drop the primary key, which it is part of, and' END)
      FROM unfilled, relation WHERE needed AND name NOT IN (SELECT renamed.name FROM renamed)
    UNION ALL
    SELECT 2, i, pg_catalog.format('column %I is generated here', name),
           CASE attgenerated WHEN 's'
                THEN pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I DROP EXPRESSION;', relation.qualified, compared.name)
                ELSE 'make it an ordinary column' END
      FROM compared, relation WHERE attgenerated <> ''
    UNION ALL
    SELECT 3, i, pg_catalog.format('column %I is %s here and %s at the source', name, here || COALESCE(' AS ' || base_here, ''), misfit.type),
           COALESCE(printable.before
                    || pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I TYPE ', relation.qualified, misfit.name)
                    || printable.type
                    || CASE WHEN bare = bare_here THEN ''
                            ELSE pg_catalog.format(' USING %I::text::%s', misfit.name, printable.type) END
                    || ';', 'compare it with dml-export --target-ddl')
      FROM misfit LEFT JOIN printable USING (i), relation
    UNION ALL
    SELECT 3, i, pg_catalog.format('column %I may be cut, for %s takes so many bytes at most, and the batch is in encoding'
                                   ' %s', name, CASE WHEN shape_here IS NULL THEN here ELSE 'what its type is made of' END,
                                   pg_catalog.current_setting('client_encoding')),
           CASE WHEN shape_here IS NOT NULL THEN 'make it of text, here and at the source'
                -- In a key, text takes the place of name only.
                WHEN is_key AND bare <> 'name' THEN 'make it text, here and at the source'
                ELSE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I TYPE text;', relation.qualified, cut.name) END
      FROM cut, relation
    UNION ALL
    SELECT 11, i, pg_catalog.format('the type of column %I is made of %s here and of %s at the source', name,
                                   COALESCE(shape_here, 'nothing else'), COALESCE(shape, 'nothing else')),
           'make the types alike, then export all rows with ' || $9
      FROM compared
     WHERE target = source AND shape IS DISTINCT FROM shape_here
    UNION ALL
    -- Before version 16 a partition may compute what its table doesn't.
    SELECT 11, compared.i, pg_catalog.format('column %I is generated in partition %s', name,
                                             p.attrelid::pg_catalog.regclass),
           pg_catalog.format('ALTER TABLE %1$s DETACH PARTITION %2$s; ALTER TABLE %2$s ALTER COLUMN %3$I DROP EXPRESSION;'
                             ' then ATTACH it again as it was, and export all rows with %4$s',
                             h.inhparent::pg_catalog.regclass, p.attrelid::pg_catalog.regclass, name, $9)
      FROM compared
      JOIN pg_catalog.pg_attribute AS p ON p.attname = compared.name AND p.attgenerated <> '' AND p.attrelid <> $1::oid
      JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = p.attrelid
     WHERE p.attrelid IN (SELECT oid FROM member) AND compared.attgenerated = ''
    UNION ALL
    SELECT 4, pg_catalog.min(i), pg_catalog.format('the batch names column %I twice', sent.name),
           'export the table again with ' || $9
      FROM sent GROUP BY sent.name HAVING pg_catalog.count(*) > 1
    UNION ALL
    SELECT 5, k.i, pg_catalog.format('it lacks column %I of the key', k.name),
           pg_catalog.format('compare it with dml-export --target-ddl')
      FROM pg_catalog.unnest($4::text[]) WITH ORDINALITY AS k (name, i)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = $1::oid AND a.attname = k.name AND a.attnum > 0)
       AND k.name NOT IN (SELECT renamed.new_name FROM renamed)
    UNION ALL
    SELECT 5, k.i, pg_catalog.format('the batch lacks column %I of the key', k.name),
           'export the table again with ' || $9
      FROM pg_catalog.unnest($4::text[]) WITH ORDINALITY AS k (name, i)
     WHERE k.name NOT IN (SELECT sent.name FROM sent)
       AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = $1::oid AND a.attname = k.name AND a.attnum > 0
                      AND a.attgenerated = '')
    UNION ALL
    SELECT 6, 0, 'no index finds a row by its key',
           pg_catalog.format('CREATE %sINDEX ON %s (%s);',
               -- One that is unique has to hold what the table is partitioned by.
               CASE WHEN NOT EXISTS (
                   SELECT FROM pg_catalog.pg_partitioned_table AS p
                    CROSS JOIN pg_catalog.unnest(p.partattrs::smallint[]) AS by (number)
                    WHERE p.partrelid = $1::oid
                      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS pa
                                       WHERE pa.attrelid = $1::oid AND pa.attnum = by.number
                                         AND pa.attname = ANY ($4::text[]))) THEN 'UNIQUE ' END,
               relation.qualified,
               (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.name), ', ' ORDER BY k.i)
                  FROM pg_catalog.unnest($4::text[]) WITH ORDINALITY AS k (name, i)))
      FROM relation
     WHERE NOT EXISTS (SELECT FROM renamed WHERE new_name = ANY ($4::text[]))
       AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_index AS x
             JOIN pg_catalog.pg_opclass AS o ON o.oid = x.indclass[0] AND o.opcmethod IN (403, 405)
            WHERE NOT x.indisexclusion AND x.indrelid = $1::oid AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
              AND x.indnkeyatts = pg_catalog.cardinality($4::text[])
              AND (SELECT pg_catalog.count(DISTINCT xa.attnum)
                     FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS j
                     JOIN pg_catalog.pg_attribute AS xa ON xa.attrelid = $1::oid AND xa.attnum = x.indkey[j]
                      AND xa.attcollation = x.indcollation[j]
                    WHERE xa.attname = ANY ($4::text[])) = x.indnkeyatts)
    UNION ALL
    SELECT 9, 0, pg_catalog.format('rule %I rewrites DELETE', r.rulename),
           pg_catalog.format('ALTER TABLE %s DISABLE RULE %I;', relation.qualified, r.rulename)
      FROM pg_catalog.pg_rewrite AS r, relation
     WHERE r.ev_class = $1::oid AND r.ev_type = '4' AND r.ev_enabled <> 'D'
    UNION ALL
    SELECT 10, 0, 'row security hides or refuses rows for this role',
           CASE WHEN relation.relforcerowsecurity AND pg_catalog.pg_has_role(relation.relowner, 'USAGE')
                THEN pg_catalog.format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY; or import as a role with BYPASSRLS',
                                       relation.qualified)
                ELSE 'import as the table''s owner or as a role with BYPASSRLS' END
      FROM relation
     WHERE pg_catalog.row_security_active($1::oid)
    UNION ALL
    SELECT 12, 0, pg_catalog.format('%s is unlogged or temporary: a crash would empty it without a trace',
                                    u.oid::pg_catalog.regclass),
           pg_catalog.format('ALTER TABLE %s SET LOGGED; then export all rows with %s',
                             u.oid::pg_catalog.regclass, $9)
      FROM pg_catalog.pg_class AS u
     WHERE u.oid IN (SELECT oid FROM member) AND u.relpersistence <> 'p'
    UNION ALL
    SELECT 13, 0, pg_catalog.format('partition %s is a foreign table, where what is written may last though the rest'
                                    ' is rolled back', u.oid::pg_catalog.regclass),
           pg_catalog.format('ALTER TABLE %s DETACH PARTITION %s; then export all rows with %s',
                             i.inhparent::pg_catalog.regclass, u.oid::pg_catalog.regclass, $9)
      FROM pg_catalog.pg_class AS u
      JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = u.oid
     WHERE u.oid IN (SELECT oid FROM member) AND u.relkind = 'f'
) AS p
 ORDER BY rank, i
