-- Carries consumers' journals over to the parties' side: for each clearing entry its opposite, and what it stands for.
-- The journal id is the idempotency key and lines are numbered from the source's, so a repeat writes nothing.
-- The rule for the account is `fenqi.ledger.chart.mirror`; a test holds the two together.
CREATE FUNCTION ledger_mirror(s_bucket smallint[], s_consumer uuid[], s_journal uuid[], s_house uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    WITH clearing AS MATERIALIZED (
        SELECT j.consumer_id, j.journal_id, j.business_on, j.posted_at, j.reference, j.kind,
            e.line, e.book, e.path, e.amount_minor,
            coalesce(e.party_id, s.house) AS party_id,
            get_byte(uuid_send(coalesce(e.party_id, s.house)), 15)::smallint AS bucket
        FROM unnest(s_bucket, s_consumer, s_journal, s_house) AS s (bucket, consumer_id, journal_id, house)
        CROSS JOIN LATERAL (
            SELECT * FROM journal x WHERE x.bucket = s.bucket
                AND x.consumer_id = s.consumer_id AND x.journal_id = s.journal_id OFFSET 0
        ) j
        CROSS JOIN LATERAL unnest(j.books, j.paths, j.amounts_minor, j.parties) WITH ORDINALITY
            AS e (book, path, amount_minor, party_id, line)
        WHERE e.path LIKE 'clearing:%'
    ), journals AS (
        INSERT INTO party_journal (bucket, party_id, journal_id, business_on, posted_at, reference, source_id, kind)
        SELECT DISTINCT c.bucket, c.party_id, c.journal_id, c.business_on, c.posted_at, c.reference,
            c.consumer_id, c.kind
        FROM clearing c ORDER BY c.bucket, c.party_id, c.journal_id
        ON CONFLICT (bucket, party_id, journal_id) DO NOTHING
    )
    INSERT INTO party_entry (bucket, party_id, journal_id, line, business_on, amount_minor, book, path)
    SELECT c.bucket, c.party_id, c.journal_id, 2 * c.line - l.back, c.business_on,
        CASE WHEN l.back = 1 THEN -c.amount_minor ELSE c.amount_minor END, c.book,
        CASE
            WHEN l.back = 1 THEN c.path
            WHEN c.path = 'clearing:merchant' THEN 'liability:merchant_payable'
            WHEN c.path LIKE 'clearing:channel:%' THEN 'asset:channel_in_transit'
            WHEN c.amount_minor > 0 THEN 'asset:due_from:' || substr(c.path, 10)
            ELSE 'liability:due_to:' || substr(c.path, 10)
        END
    FROM clearing c CROSS JOIN (VALUES (1), (0)) AS l (back)
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (bucket, party_id, journal_id, line) DO NOTHING;
END $$;
