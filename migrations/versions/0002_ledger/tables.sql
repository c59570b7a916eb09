-- A journal and its entries are one row: they can't exist without each other, and cost one index write instead of five.
CREATE TABLE journal (
    bucket smallint NOT NULL,
    consumer_id uuid NOT NULL,
    journal_id uuid NOT NULL,
    business_on date NOT NULL,
    posted_at timestamptz NOT NULL,
    reference uuid,
    kind text COLLATE "C" NOT NULL,
    input_hash bytea NOT NULL,
    outcome text COLLATE "C" NOT NULL DEFAULT 'posted' CHECK (outcome IN ('posted', 'limit', 'no_account')),
    refused_path text COLLATE "C",
    refused_bound text COLLATE "C" CHECK (refused_bound IN ('ceiling', 'day', 'month')),
    refused_room_minor bigint,
    books text[] COLLATE "C" NOT NULL,
    paths text[] COLLATE "C" NOT NULL,
    amounts_minor bigint[] NOT NULL,
    parties uuid[] NOT NULL,
    CHECK ((outcome = 'posted') = (cardinality(amounts_minor) > 0)),
    PRIMARY KEY (bucket, consumer_id, journal_id)
);

CREATE VIEW entry AS
SELECT j.bucket, j.consumer_id, j.journal_id, e.line::smallint AS line, j.business_on,
    e.amount_minor, e.party_id, e.book, e.path
FROM journal j CROSS JOIN LATERAL unnest(j.books, j.paths, j.amounts_minor, j.parties) WITH ORDINALITY
    AS e (book, path, amount_minor, party_id, line);

-- Half-empty pages keep the frequent balance update on its page (a heap-only update, no index write).
CREATE TABLE limit_account (
    bucket smallint NOT NULL,
    consumer_id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    balance_minor bigint NOT NULL DEFAULT 0,
    reserved_minor bigint NOT NULL DEFAULT 0 CHECK (reserved_minor >= 0),
    ceiling_minor bigint NOT NULL,
    day_on date NOT NULL DEFAULT '1970-01-01',
    day_minor bigint NOT NULL DEFAULT 0,
    month_on date NOT NULL DEFAULT '1970-01-01',
    month_minor bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (bucket, consumer_id, path)
) WITH (fillfactor = 50);

CREATE TABLE limit_change (
    bucket smallint NOT NULL,
    consumer_id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    from_minor bigint,
    to_minor bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL CHECK (changed_by <> ''),
    why text NOT NULL CHECK (why <> ''),
    PRIMARY KEY (bucket, consumer_id, path, version)
);

CREATE TABLE limit_hold (
    bucket smallint NOT NULL,
    consumer_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('held', 'committed', 'released')),
    reference uuid,
    business_on date NOT NULL,
    held_at timestamptz NOT NULL,
    settled_at timestamptz,
    CHECK ((settled_at IS NULL) = (state = 'held')),
    PRIMARY KEY (bucket, consumer_id, hold_id, path)
);

CREATE TABLE party_journal (
    bucket smallint NOT NULL,
    party_id uuid NOT NULL,
    journal_id uuid NOT NULL,
    business_on date NOT NULL,
    posted_at timestamptz NOT NULL,
    reference uuid,
    source_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    PRIMARY KEY (bucket, party_id, journal_id)
);

CREATE TABLE party_entry (
    bucket smallint NOT NULL,
    party_id uuid NOT NULL,
    journal_id uuid NOT NULL,
    line smallint NOT NULL,
    business_on date NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    book text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    PRIMARY KEY (bucket, party_id, journal_id, line)
);
