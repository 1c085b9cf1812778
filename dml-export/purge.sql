-- Deletes the shadow rows that every target has exported and summarizes the rest, so that the
-- next export finds the new ones.  SECURITY DEFINER, for summarizing is the owner's right.
-- Where another run is at it already, there is nothing to do.  What is kept for a slower target is
-- not read again each time: as long as that one has not moved, and below where the last purge came
-- to, there is nothing to delete.
--
-- A snapshot from before the lock may not have the targets that others began with meanwhile, and yet
-- the rows that those need: so each statement must have its own.
--
-- Exports and --install compare what they find with this, as purge_made.sql has it; --install puts this
-- in its place.
CREATE OR REPLACE FUNCTION dml.purge(base regclass) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $purge$
DECLARE
    shadow   text;
    before   bigint;
    horizon  bigint;
    deleted  bigint := 0;
    patience text := current_setting('lock_timeout');
    hooked   regclass;
    refusal  text;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_transaction_state',
            MESSAGE = 'dml.purge() would take what another target needs: this transaction is not READ COMMITTED',
            HINT = 'call it after BEGIN ISOLATION LEVEL READ COMMITTED';
    END IF;
    IF NOT pg_catalog.pg_try_advisory_xact_lock(1684892161, base::oid::integer) THEN
        RETURN 0;
    END IF;
    SELECT format('dml.%I', t.shadow), t.purged INTO shadow, before
      FROM dml.tracked AS t WHERE t.base = purge.base;
    IF shadow IS NULL OR to_regclass(shadow) IS NULL THEN
        RETURN 0;
    END IF;
    -- What hangs on the tables would run with the rights of their owner.  His own triggers may, but not
    -- where others could put them to their use: by arguments, or by a condition, which calls what it likes.
    -- A foreign key has triggers here, too, which delete there, and the triggers that stand there run.
    -- And the planner computes what a table's owner puts into its indexes and statistics.
    EXECUTE 'LOCK TABLE dml.tracked, dml.history, ' || shadow || ' IN ROW EXCLUSIVE MODE';
    SELECT CASE WHEN g.tgisinternal THEN 'DML02' ELSE 'DML01' END, g.tgrelid INTO refusal, hooked
      FROM pg_catalog.pg_trigger AS g
      JOIN pg_catalog.pg_proc AS f ON f.oid = g.tgfoid
     WHERE g.tgrelid IN ('dml.tracked'::regclass, 'dml.history'::regclass, shadow::regclass)
       AND CASE WHEN g.tgisinternal
                THEN g.tgconstrrelid NOT IN (0, 'dml.tracked'::regclass, 'dml.tracking'::regclass,
                                             'dml.history'::regclass)
                ELSE g.tgqual IS NOT NULL OR g.tgnargs > 0
                     OR NOT pg_has_role(f.proowner, CURRENT_USER, 'USAGE') END
    UNION ALL
    SELECT 'DML03', c.oid FROM pg_catalog.pg_class AS c
     WHERE c.oid = shadow::regclass AND pg_get_userbyid(c.relowner) <> CURRENT_USER
     LIMIT 1;
    IF hooked IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = refusal, TABLE = hooked::text,
            MESSAGE = format('dml.purge() would run others'' code with its own rights, by %s %s',
                             CASE refusal WHEN 'DML01' THEN 'a trigger on' WHEN 'DML02' THEN 'a foreign key onto'
                                          ELSE 'what its owner made of' END, hooked),
            HINT = 'drop it, and see who was granted what on the tables of schema dml';
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
    -- No range of the index is full before.  Indexes of other kinds, which somebody may have made
    -- for queries of his own, have no summaries.
    -- A VACUUM, which may take hours, keeps others from summarizing, but not from deleting, and does
    -- it itself.
    IF pg_relation_size(shadow::regclass) >= 32 * current_setting('block_size')::integer THEN
        BEGIN
            PERFORM set_config('lock_timeout', '100ms', true);
            PERFORM brin_summarize_new_values(i.indexrelid)
               FROM pg_catalog.pg_index AS i
               JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
               JOIN pg_catalog.pg_am AS m ON m.oid = c.relam AND m.amname = 'brin'
              WHERE i.indrelid = shadow::regclass;
            PERFORM set_config('lock_timeout', patience, true);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;
        END;
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
