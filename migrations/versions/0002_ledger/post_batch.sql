-- The ledger's door: write the journals, lock the limits in order, judge, add, empty what was refused. Read it bottom up.

CREATE FUNCTION ledger_month(of_on date) RETURNS date
LANGUAGE sql IMMUTABLE AS $$ SELECT of_on - extract(day FROM of_on)::int + 1 $$;

-- Adds the sums of accepted legs to rows this transaction has locked; a locked row's address is stable until it ends,
-- so no plan but the one by address is allowed, whatever the statistics say.
CREATE FUNCTION ledger_add_to_limits(tids tid[], totals bigint[], spends bigint[], ons date[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_indexscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    UPDATE limit_account a SET
        balance_minor = a.balance_minor + u.total,
        day_on = greatest(a.day_on, u.at_on),
        day_minor = CASE WHEN a.day_on >= u.at_on THEN a.day_minor ELSE 0 END + u.spend,
        month_on = CASE WHEN a.day_on >= u.at_on THEN a.month_on ELSE ledger_month(u.at_on) END,
        month_minor = CASE WHEN a.day_on >= u.at_on OR a.month_on >= ledger_month(u.at_on) THEN a.month_minor ELSE 0 END
            + u.spend
    FROM unnest(tids, totals, spends, ons) AS u (tid, total, spend, at_on)
    WHERE a.ctid = u.tid;
END $$;

-- Writes what the exact path has computed for rows this transaction has locked.
CREATE FUNCTION ledger_set_limits(
    tids tid[], balances bigint[], day_ons date[], days bigint[], month_ons date[], months bigint[]
) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_indexscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    UPDATE limit_account a SET
        balance_minor = u.balance, day_on = u.day_on, day_minor = u.day_used,
        month_on = u.month_on, month_minor = u.month_used
    FROM unnest(tids, balances, day_ons, days, month_ons, months)
        AS u (tid, balance, day_on, day_used, month_on, month_used)
    WHERE a.ctid = u.tid;
END $$;

-- The exact path: items of consumers with an account near its limit, one by one in order of arrival.
CREATE FUNCTION ledger_judge_in_order(
    i_bucket smallint[], i_consumer uuid[], i_on date[], exact boolean[],
    l_item int[], l_path smallint[], l_amount bigint[], l_day bigint[], l_month bigint[], l_version bigint[],
    names text[]
) RETURNS TABLE (item int, outcome text, path text, bound text, room_minor bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    tids tid[]; paths text[]; balances bigint[]; reserveds bigint[]; ceilings bigint[]; versions bigint[];
    day_ons date[]; days bigint[]; month_ons date[]; months bigint[];
    r record; s int; at_on date; amount bigint; left_ceiling bigint; left_day bigint; left_month bigint;
BEGIN
    SELECT array_agg(a.tid ORDER BY g.slot), array_agg(g.path ORDER BY g.slot),
        array_agg(a.balance_minor ORDER BY g.slot), array_agg(a.reserved_minor ORDER BY g.slot),
        array_agg(a.ceiling_minor ORDER BY g.slot), array_agg(a.version ORDER BY g.slot),
        array_agg(a.day_on ORDER BY g.slot), array_agg(a.day_minor ORDER BY g.slot),
        array_agg(a.month_on ORDER BY g.slot), array_agg(a.month_minor ORDER BY g.slot)
    INTO tids, paths, balances, reserveds, ceilings, versions, day_ons, days, month_ons, months
    FROM (
        SELECT row_number() OVER (ORDER BY d.bucket, d.consumer_id, d.path) AS slot, d.*
        FROM (
            SELECT DISTINCT i_bucket[l.item] AS bucket, i_consumer[l.item] AS consumer_id,
                names[l.path] COLLATE "C" AS path
            FROM unnest(l_item, l_path) AS l (item, path) WHERE exact[l.item]
        ) d
    ) g
    LEFT JOIN LATERAL (
        SELECT x.ctid AS tid, x.* FROM limit_account x
        WHERE x.bucket = g.bucket AND x.consumer_id = g.consumer_id AND x.path = g.path OFFSET 0
    ) a ON true;

    FOR r IN
        SELECT x.item, array_agg(x.slot ORDER BY x.ord) AS slots, array_agg(x.amount ORDER BY x.ord) AS amounts,
            array_agg(x.day_ceiling ORDER BY x.ord) AS day_ceilings,
            array_agg(x.month_ceiling ORDER BY x.ord) AS month_ceilings,
            array_agg(x.version ORDER BY x.ord) AS versions
        FROM (
            SELECT l.*, dense_rank() OVER (
                ORDER BY i_bucket[l.item], i_consumer[l.item], names[l.path] COLLATE "C")::int AS slot
            FROM unnest(l_item, l_path, l_amount, l_day, l_month, l_version) WITH ORDINALITY
                AS l (item, path, amount, day_ceiling, month_ceiling, version, ord)
            WHERE exact[l.item]
        ) x
        GROUP BY x.item ORDER BY x.item
    LOOP
        item := r.item;
        at_on := i_on[r.item];
        outcome := NULL; path := NULL; bound := NULL; room_minor := NULL;
        FOR k IN 1 .. cardinality(r.slots) LOOP
            s := r.slots[k];
            amount := r.amounts[k];
            IF tids[s] IS NULL THEN
                outcome := 'no_account'; path := paths[s]; bound := NULL; room_minor := NULL;
                EXIT;
            END IF;
            IF r.versions[k] <> 0 AND r.versions[k] <> versions[s] THEN
                IF outcome IS DISTINCT FROM 'stale_version' THEN
                    outcome := 'stale_version'; path := paths[s]; bound := NULL; room_minor := NULL;
                END IF;
            ELSIF outcome IS NULL AND amount > 0 THEN
                left_ceiling := ceilings[s] - balances[s] - reserveds[s];
                left_day := r.day_ceilings[k] - CASE WHEN day_ons[s] >= at_on THEN days[s] ELSE 0 END;
                left_month := r.month_ceilings[k]
                    - CASE WHEN month_ons[s] >= ledger_month(at_on) THEN months[s] ELSE 0 END;
                IF amount > left_ceiling THEN
                    outcome := 'limit'; path := paths[s]; bound := 'ceiling'; room_minor := left_ceiling;
                ELSIF amount > left_day THEN
                    outcome := 'limit'; path := paths[s]; bound := 'day'; room_minor := left_day;
                ELSIF amount > left_month THEN
                    outcome := 'limit'; path := paths[s]; bound := 'month'; room_minor := left_month;
                END IF;
            END IF;
        END LOOP;
        IF outcome IS NOT NULL THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        FOR k IN 1 .. cardinality(r.slots) LOOP
            s := r.slots[k];
            amount := r.amounts[k];
            balances[s] := balances[s] + amount;
            IF day_ons[s] < at_on THEN
                day_ons[s] := at_on;
                days[s] := 0;
                IF month_ons[s] < ledger_month(at_on) THEN
                    month_ons[s] := ledger_month(at_on);
                    months[s] := 0;
                END IF;
            END IF;
            IF amount > 0 THEN
                days[s] := days[s] + amount;
                months[s] := months[s] + amount;
            END IF;
        END LOOP;
    END LOOP;
    PERFORM ledger_set_limits(tids, balances, day_ons, days, month_ons, months);
END $$;

-- Which items are the first of their journal id: those whose claim was inserted. Sorts only, so no plan can go wrong.
CREATE FUNCTION ledger_fresh(i_consumer uuid[], i_journal uuid[], c_consumer uuid[], c_journal uuid[]) RETURNS boolean[]
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN (SELECT array_agg(x.fresh ORDER BY x.ord) FROM (
        SELECT u.ord, coalesce(lag(u.ord) OVER (PARTITION BY u.consumer_id, u.journal_id ORDER BY u.ord) = 0, false)
            AS fresh
        FROM (
            SELECT i.ord, i.consumer_id, i.journal_id
            FROM unnest(i_consumer, i_journal) WITH ORDINALITY AS i (consumer_id, journal_id, ord)
            UNION ALL
            SELECT 0, c.consumer_id, c.journal_id FROM unnest(c_consumer, c_journal) AS c (consumer_id, journal_id)
        ) u
    ) x WHERE x.ord > 0);
END $$;

-- Which fresh items belong to a consumer one of whose accounts did not take the batch's sum. Sorts only, too.
CREATE FUNCTION ledger_near_limit(i_consumer uuid[], fresh boolean[], failing int[]) RETURNS boolean[]
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN (SELECT array_agg(x.near AND fresh[x.ord] ORDER BY x.ord) FROM (
        SELECT u.ord, bool_or(u.ord = 0) OVER (PARTITION BY u.consumer_id) AS near
        FROM (
            SELECT i.ord, i.consumer_id FROM unnest(i_consumer) WITH ORDINALITY AS i (consumer_id, ord)
            UNION ALL
            SELECT 0, i_consumer[f.item] FROM unnest(failing) AS f (item)
        ) u
    ) x WHERE x.ord > 0);
END $$;

CREATE FUNCTION ledger_post_batch(
    i_bucket smallint[], i_consumer uuid[], i_journal uuid[], i_kind smallint[], i_hash bytea[],
    i_on date[], i_at timestamptz[], i_reference uuid[],
    l_item int[], l_path smallint[], l_amount bigint[], l_day bigint[], l_month bigint[], l_version bigint[],
    e_item int[], e_book smallint[], e_path smallint[], e_amount bigint[], e_party int[],
    m_item int[], names text[], parties uuid[]
) RETURNS TABLE (item int, repeated boolean, outcome text, path text, bound text, room_minor bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    n int := cardinality(i_journal);
    claimed_consumers uuid[]; claimed_journals uuid[];
    fresh boolean[]; exact boolean[]; accepted boolean[];
    tids tid[]; totals bigint[]; spends bigint[]; ons date[]; firsts int[]; failing int[];
    r record;
BEGIN
    IF EXISTS (
        SELECT FROM unnest(e_item, e_book, e_amount) AS e (item, book, amount)
        GROUP BY e.item, e.book HAVING sum(e.amount) <> 0
    ) THEN
        RAISE EXCEPTION 'a journal does not balance within a book' USING ERRCODE = 'check_violation';
    END IF;

    WITH claimed AS (
        INSERT INTO journal AS j (bucket, consumer_id, journal_id, business_on, posted_at, reference, kind, input_hash,
            books, paths, amounts_minor, parties)
        SELECT i_bucket[i.item], i_consumer[i.item], i_journal[i.item], i_on[i.item], i_at[i.item], i_reference[i.item],
            names[i_kind[i.item]], i_hash[i.item], i.books, i.paths, i.amounts, i.owners
        FROM (
            SELECT e.item, array_agg(names[e.book]) AS books, array_agg(names[e.path]) AS paths,
                array_agg(e.amount) AS amounts, array_agg(parties[e.party]) AS owners
            FROM (
                SELECT * FROM unnest(e_item, e_book, e_path, e_amount, e_party) WITH ORDINALITY
                    AS u (item, book, path, amount, party, ord)
                ORDER BY u.item, u.ord
            ) e
            GROUP BY e.item
        ) i
        ORDER BY 1, 2, 3, i.item
        ON CONFLICT (bucket, consumer_id, journal_id) DO NOTHING
        RETURNING j.consumer_id, j.journal_id
    )
    SELECT array_agg(c.consumer_id), array_agg(c.journal_id) INTO claimed_consumers, claimed_journals FROM claimed c;
    IF cardinality(claimed_journals) = n THEN
        fresh := array_fill(true, ARRAY[n]);
    ELSE
        fresh := ledger_fresh(i_consumer, i_journal, claimed_consumers, claimed_journals);
    END IF;
    accepted := fresh;

    SELECT array_agg(s.tid), array_agg(s.total), array_agg(s.spend), array_agg(s.at_on), array_agg(s.first_item),
        array_agg(s.first_item) FILTER (WHERE NOT s.fits)
    INTO tids, totals, spends, ons, firsts, failing
    FROM (
        SELECT a.tid, g.total, g.spend, g.at_on, g.first_item,
            a.tid IS NOT NULL
            AND (g.version = 0 OR (g.low_version = a.version AND g.version = a.version))
            AND (g.spend = 0 OR (
                g.from_on = g.at_on
                AND a.balance_minor + a.reserved_minor + g.spend <= a.ceiling_minor
                AND CASE WHEN a.day_on >= g.at_on THEN a.day_minor ELSE 0 END + g.spend <= g.day_ceiling
                AND CASE WHEN a.day_on >= g.at_on OR a.month_on >= ledger_month(g.at_on) THEN a.month_minor ELSE 0 END
                    + g.spend <= g.month_ceiling
            )) AS fits
        FROM (
            SELECT i_bucket[l.item] AS bucket, i_consumer[l.item] AS consumer_id, names[l.path] COLLATE "C" AS path,
                sum(l.amount)::bigint AS total, sum(greatest(l.amount, 0))::bigint AS spend,
                min(l.day_ceiling) AS day_ceiling, min(l.month_ceiling) AS month_ceiling,
                min(nullif(l.version, 0)) AS low_version, max(l.version) AS version,
                min(i_on[l.item]) AS from_on, max(i_on[l.item]) AS at_on, min(l.item) AS first_item
            FROM unnest(l_item, l_path, l_amount, l_day, l_month, l_version)
                AS l (item, path, amount, day_ceiling, month_ceiling, version)
            WHERE fresh[l.item]
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ) g
        LEFT JOIN LATERAL (
            SELECT x.ctid AS tid, x.* FROM limit_account x
            WHERE x.bucket = g.bucket AND x.consumer_id = g.consumer_id AND x.path = g.path
            FOR NO KEY UPDATE
        ) a ON true
    ) s;

    IF failing IS NOT NULL THEN
        exact := ledger_near_limit(i_consumer, fresh, failing);
        SELECT array_agg(u.tid), array_agg(u.total), array_agg(u.spend), array_agg(u.at_on)
        INTO tids, totals, spends, ons
        FROM unnest(tids, totals, spends, ons, firsts) AS u (tid, total, spend, at_on, first_item)
        WHERE NOT exact[u.first_item];
        FOR r IN
            SELECT * FROM ledger_judge_in_order(
                i_bucket, i_consumer, i_on, exact, l_item, l_path, l_amount, l_day, l_month, l_version, names)
        LOOP
            accepted[r.item] := false;
            IF r.outcome = 'stale_version' THEN
                DELETE FROM journal j WHERE j.bucket = i_bucket[r.item]
                    AND j.consumer_id = i_consumer[r.item] AND j.journal_id = i_journal[r.item];
            ELSE
                UPDATE journal j SET outcome = r.outcome, refused_path = r.path,
                    refused_bound = r.bound, refused_room_minor = r.room_minor,
                    books = '{}', paths = '{}', amounts_minor = '{}', parties = '{}'
                WHERE j.bucket = i_bucket[r.item]
                    AND j.consumer_id = i_consumer[r.item] AND j.journal_id = i_journal[r.item];
            END IF;
            item := r.item; repeated := false; outcome := r.outcome;
            path := r.path; bound := r.bound; room_minor := r.room_minor;
            RETURN NEXT;
        END LOOP;
    END IF;
    IF tids IS NOT NULL THEN
        PERFORM ledger_add_to_limits(tids, totals, spends, ons);
    END IF;

    INSERT INTO outbox (bucket, consumer_id, event_id, topic, payload, written_at)
    SELECT i_bucket[m.item], i_consumer[m.item], i_journal[m.item], 'ledger.posted', 'null', i_at[m.item]
    FROM unnest(m_item) AS m (item)
    WHERE accepted[m.item];

    IF cardinality(claimed_journals) IS DISTINCT FROM n THEN
        RETURN QUERY
        SELECT i.ord::int, j.journal_id IS NOT NULL,
            CASE WHEN j.journal_id IS NULL THEN 'stale_version' WHEN j.same THEN j.outcome ELSE 'key_conflict' END,
            CASE WHEN j.same THEN j.refused_path END, CASE WHEN j.same THEN j.refused_bound END,
            CASE WHEN j.same THEN j.refused_room_minor END
        FROM unnest(i_journal) WITH ORDINALITY AS i (journal_id, ord)
        LEFT JOIN LATERAL (
            SELECT x.*, x.input_hash = i_hash[i.ord] AS same FROM journal x WHERE x.bucket = i_bucket[i.ord]
                AND x.consumer_id = i_consumer[i.ord] AND x.journal_id = i.journal_id OFFSET 0
        ) j ON true
        WHERE NOT fresh[i.ord];
    END IF;
END $$;
