"""The risk database: subjects, lists, sliding counters, links, outcomes, reviews, and what programmes have lent.

A subject (consumer, device, card, address, merchant) is a party with a bucket of its own, found by the id that its
keyed hash gives; the value itself is nowhere. What one subject's event means for another one travels through the
outbox.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0014_risk"
down_revision = "0013_policy"
branch_labels = None
depends_on = None

SUBJECTS = "('consumer', 'device', 'card', 'address', 'merchant')"
OUTCOMES = "('overdue', 'chargeback', 'fraud', 'complaint_upheld', 'cleared')"


def upgrade() -> None:
    op.execute("ALTER TABLE consumer ADD COLUMN id_checked_until_at timestamptz")
    op.execute("ALTER TABLE orders ADD COLUMN address_id uuid")
    op.execute("INSERT INTO reference_epoch (kind, epoch) VALUES ('risk', 0)")
    _subjects()
    _lists()
    _pulses()
    _links()
    _outcomes()
    _reviews()
    _exposures()


def _subjects() -> None:
    op.execute(f"""
        CREATE TABLE risk_subject (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            subject_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN {SUBJECTS}),
            label text NOT NULL DEFAULT '',
            first_at timestamptz NOT NULL,
            consumers_count integer NOT NULL DEFAULT 0 CHECK (consumers_count >= 0),
            fraud_count integer NOT NULL DEFAULT 0 CHECK (fraud_count >= 0),
            PRIMARY KEY (bucket, subject_id)
        ) WITH (fillfactor = 80)""")
    place(op.execute, "risk_subject", "party")


def _lists() -> None:
    op.execute(f"""
        CREATE TABLE risk_list (
            bucket smallint NOT NULL,
            subject_id uuid NOT NULL,
            list text NOT NULL CHECK (list IN ('block', 'watch', 'allow')),
            subject_kind text NOT NULL CHECK (subject_kind IN {SUBJECTS}),
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            until_at timestamptz,
            PRIMARY KEY (bucket, subject_id, list)
        )""")
    place(op.execute, "risk_list", "party")
    op.execute(f"""
        CREATE TABLE risk_list_change (
            bucket smallint NOT NULL,
            subject_id uuid NOT NULL,
            change_id uuid NOT NULL,
            list text NOT NULL,
            subject_kind text NOT NULL CHECK (subject_kind IN {SUBJECTS}),
            verb text NOT NULL CHECK (verb IN ('add', 'remove')),
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            until_at timestamptz,
            PRIMARY KEY (bucket, subject_id, change_id)
        )""")
    place(op.execute, "risk_list_change", "party", append_only=True)


def _pulses() -> None:
    """One row a subject and kind: the latest events, oldest first, so that a window can begin at any millisecond."""
    op.execute("""
        CREATE TABLE risk_pulse (
            bucket smallint NOT NULL,
            subject_id uuid NOT NULL,
            kind text NOT NULL,
            event_keys bigint[] NOT NULL,
            at_ms bigint[] NOT NULL,
            amounts_minor bigint[] NOT NULL,
            PRIMARY KEY (bucket, subject_id, kind)
        ) WITH (fillfactor = 60)""")
    place(op.execute, "risk_pulse", "party")


def _links() -> None:
    """Both ends keep the link, each in its own bucket."""
    op.execute(f"""
        CREATE TABLE risk_link (
            bucket smallint NOT NULL,
            subject_id uuid NOT NULL,
            other_id uuid NOT NULL,
            subject_kind text NOT NULL CHECK (subject_kind IN {SUBJECTS}),
            other_kind text NOT NULL CHECK (other_kind IN {SUBJECTS}),
            first_at timestamptz NOT NULL,
            last_at timestamptz NOT NULL,
            proved_at timestamptz,
            person_hash bytea CHECK (length(person_hash) = 32),
            is_fraud boolean NOT NULL DEFAULT false,
            PRIMARY KEY (bucket, subject_id, other_id)
        ) WITH (fillfactor = 80)""")
    place(op.execute, "risk_link", "party")
    op.execute("CREATE INDEX risk_link_first ON risk_link (bucket, subject_id, is_fraud DESC, last_at DESC, other_id)")


def _outcomes() -> None:
    op.execute(f"""
        CREATE TABLE risk_outcome (
            bucket smallint NOT NULL,
            subject_id uuid NOT NULL,
            outcome_id uuid NOT NULL,
            subject_kind text NOT NULL CHECK (subject_kind IN {SUBJECTS}),
            outcome text NOT NULL CHECK (outcome IN {OUTCOMES}),
            about text NOT NULL DEFAULT '',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, subject_id, outcome_id)
        )""")
    place(op.execute, "risk_outcome", "party", append_only=True)


def _reviews() -> None:
    op.execute("""
        CREATE TABLE risk_review (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            review_id uuid NOT NULL,
            about text NOT NULL,
            state text NOT NULL CHECK (state IN ('open', 'cleared', 'confirmed')),
            until_at timestamptz,
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            most_minor bigint CHECK (most_minor >= 0),
            PRIMARY KEY (bucket, consumer_id, review_id)
        )""")
    place(op.execute, "risk_review", "consumer", append_only=True)


def _exposures() -> None:
    """A programme's loans, and their sum in slots, so that relays of several ranges don't wait for one row."""
    op.execute("""
        CREATE TABLE risk_exposure_loan (
            bucket smallint NOT NULL,
            programme_id uuid NOT NULL,
            loan_id uuid NOT NULL,
            consumer_id uuid NOT NULL,
            used_minor bigint NOT NULL CHECK (used_minor >= 0),
            PRIMARY KEY (bucket, programme_id, loan_id)
        ) WITH (fillfactor = 80)""")
    place(op.execute, "risk_exposure_loan", "party")
    op.execute("""
        CREATE TABLE risk_exposure (
            bucket smallint NOT NULL,
            programme_id uuid NOT NULL,
            slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 15),
            programme text NOT NULL,
            used_minor bigint NOT NULL,
            PRIMARY KEY (bucket, programme_id, slot)
        ) WITH (fillfactor = 60)""")
    place(op.execute, "risk_exposure", "party")
    op.execute("""
        CREATE TABLE risk_loan_programme (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            loan_id uuid NOT NULL,
            programme text NOT NULL,
            PRIMARY KEY (bucket, consumer_id, loan_id, programme)
        )""")
    place(op.execute, "risk_loan_programme", "consumer", append_only=True)


def downgrade() -> None:
    for table in (
        "risk_loan_programme", "risk_exposure", "risk_exposure_loan", "risk_review", "risk_outcome", "risk_link",
        "risk_pulse", "risk_list_change", "risk_list", "risk_subject",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
    op.execute("DELETE FROM reference_epoch WHERE kind = 'risk'")
    op.execute("ALTER TABLE orders DROP COLUMN address_id")
    op.execute("ALTER TABLE consumer DROP COLUMN id_checked_until_at")
