-- A piece of another: what orders the values of the range type t, a row of pg_type, and so tells which
-- are empty and which join in a multirange; as text.
SELECT pg_catalog.concat_ws(' ', 'range of', pg_catalog.format_type(r.rngsubtype, NULL),
           (SELECT '(' || pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) || ')'
              FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = r.rngsubtype),
           -- Other spellings of a locale are no others: UTF-8 and utf8, en_US and en-US, and all that goes
           -- by code points.
           (SELECT pg_catalog.format('COLLATE %I.%I (%s)', n.nspname, l.collname, pg_catalog.concat_ws(' ',
                       CASE WHEN own.provider = 'b' OR own.locale ~ '^(C|POSIX)(\.|$)' THEN 'C'
                            WHEN own.provider = 'i' THEN pg_catalog.replace(pg_catalog.lower(own.locale COLLATE pg_catalog."C"), '_', '-')
                            ELSE pg_catalog.concat(pg_catalog.split_part(own.locale, '.', 1), pg_catalog.regexp_replace(pg_catalog.lower(
                                     pg_catalog.substring(own.locale, '\..*') COLLATE pg_catalog."C"), '[^a-z0-9.@]', '', 'g')) END,
                       pg_catalog.quote_literal(own.rules),
                       CASE WHEN NOT l.collisdeterministic THEN 'nondeterministic' END))
              FROM pg_catalog.pg_collation AS l
              JOIN pg_catalog.pg_namespace AS n ON n.oid = l.collnamespace
             CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(l) AS now) AS c
             CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(b) AS now FROM pg_catalog.pg_database AS b
                                  WHERE b.datname = pg_catalog.current_database()) AS d
             CROSS JOIN LATERAL (SELECT
                   CASE l.collprovider WHEN 'd' THEN COALESCE(d.now ->> 'datlocprovider', 'c') ELSE l.collprovider::text END AS provider,
                   CASE l.collprovider WHEN 'd'
                        THEN COALESCE(d.now ->> 'datlocale', d.now ->> 'daticulocale', d.now ->> 'datcollate')
                        ELSE COALESCE(c.now ->> 'colllocale', c.now ->> 'colliculocale', c.now ->> 'collcollate') END AS locale,
                   CASE l.collprovider WHEN 'd' THEN d.now ->> 'daticurules' ELSE c.now ->> 'collicurules' END AS rules) AS own
             WHERE l.oid = r.rngcollation),
           (SELECT pg_catalog.format('OPERATOR CLASS %I.%I', n.nspname, o.opcname)
              FROM pg_catalog.pg_opclass AS o
              JOIN pg_catalog.pg_namespace AS n ON n.oid = o.opcnamespace
             WHERE o.oid = r.rngsubopc AND NOT o.opcdefault),
           (SELECT pg_catalog.format('CANONICAL %I.%I', n.nspname, p.proname)
              FROM pg_catalog.pg_proc AS p
              JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
             WHERE p.oid = r.rngcanonical))
  FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid
