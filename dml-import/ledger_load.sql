-- What the ledger knows that bears on one batch.  $1 oid of the table, $2 the batch's chain, $3 its
-- number, $4 its time.  Always one row; `next` is the batch of that chain that was applied with this
-- number or the least above it.  Of the columns, an older version kept what made types are made of as text, with
-- blanks in it: read as made.sql writes it, whatever encoding is spoken.
SELECT l.relation IS NOT NULL AS known,
       l.target, l.origin,
       CASE WHEN l.columns NOT LIKE '% {% %' THEN l.columns
            ELSE pg_catalog.regexp_replace(l.columns, ' .*$', ' ') || (
                     SELECT pg_catalog.array_agg(pg_catalog.encode(
                                pg_catalog.convert_to(p.part, pg_catalog.getdatabaseencoding()), 'hex'))::text
                       FROM pg_catalog.unnest(pg_catalog.substring(l.columns, '{.*$')::text[]) AS p (part)) END AS columns,
       l.chain, l.number, l.seal, l.system, l.timeline, l.database, l.snapshot,
       r.relation IS NOT NULL AS retired,
       r.number AS retired_number,
       pg_catalog.to_char(l.taken AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') < $4::text COLLATE "C" AS after,
       next.number AS next_number, next.base AS next_base, next.seal AS next_seal
  FROM (VALUES (1)) AS one
  LEFT JOIN dml.ledger AS l ON l.relation = $1::oid
  LEFT JOIN dml.retired AS r ON r.relation = $1::oid AND r.chain = $2::uuid
  LEFT JOIN LATERAL (
       SELECT a.number, a.base, a.seal FROM dml.applied AS a
        WHERE a.relation = $1::oid AND a.chain = $2::uuid AND a.number >= $3::bigint
        ORDER BY a.number LIMIT 1) AS next ON true
