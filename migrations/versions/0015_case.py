"""Cases: what people decide, with their queue, evidence and clock.

A case lies with its party: the consumer it is about, or the house of its bucket where it is about nobody.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0015_case"
down_revision = "0014_risk"
branch_labels = None
depends_on = None

_KINDS = "'payment_review', 'application_review', 'appeal', 'raise_limit', 'policy_missing', 'complaint', 'question'"
_STATES = "'open', 'in_hand', 'waiting', 'proposed', 'decided', 'withdrawn', 'lapsed'"


def upgrade() -> None:
    _cases()
    _what_is_said()
    _what_is_decided()


def _cases() -> None:
    op.execute(f"""
        CREATE TABLE service_case (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            party_id uuid NOT NULL,
            case_id uuid NOT NULL,
            number text NOT NULL CHECK (number ~ '^C[2-9A-Z]{{10}}$'),
            kind text NOT NULL CHECK (kind IN ({_KINDS})),
            topic text NOT NULL,
            subject_kind text NOT NULL
                CHECK (subject_kind IN ('order', 'payment', 'application', 'limit', 'line', 'policy', 'none')),
            subject_id text NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 200),
            about jsonb NOT NULL,
            amount_minor bigint CHECK (amount_minor >= 0),
            priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 4),
            policy_version text NOT NULL,
            state text NOT NULL CHECK (state IN ({_STATES})),
            owner_id uuid,
            opened_by text NOT NULL CHECK (opened_by <> ''),
            opened_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            left_minutes integer CHECK (left_minutes >= 0),
            breached_at timestamptz,
            proposed_by text,
            outcome text,
            ended_at timestamptz,
            version integer NOT NULL CHECK (version > 0),
            PRIMARY KEY (bucket, party_id, case_id),
            CHECK ((state IN ('decided', 'withdrawn', 'lapsed')) = (ended_at IS NOT NULL)),
            CHECK ((state = 'decided') = (outcome IS NOT NULL)),
            CHECK ((state = 'proposed') = (proposed_by IS NOT NULL)),
            CHECK ((state = 'waiting') = (left_minutes IS NOT NULL)),
            CHECK (state NOT IN ('in_hand', 'waiting', 'proposed') OR owner_id IS NOT NULL)
        )""")
    place(op.execute, "service_case", "party")
    op.execute("""
        CREATE UNIQUE INDEX service_case_open ON service_case (bucket, party_id, kind, subject_kind, subject_id)
        WHERE ended_at IS NULL""")
    op.execute("CREATE INDEX service_case_of_party ON service_case (bucket, party_id, opened_at)")
    op.execute("CREATE INDEX service_case_number ON service_case (bucket, number)")
    op.execute("CREATE INDEX service_case_queue ON service_case (kind, due_at) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX service_case_ended ON service_case (ended_at) WHERE ended_at IS NOT NULL")
    op.execute(f"""
        CREATE TABLE service_case_move (
            bucket smallint NOT NULL,
            party_id uuid NOT NULL,
            case_id uuid NOT NULL,
            version integer NOT NULL CHECK (version > 0),
            verb text NOT NULL CHECK (verb <> ''),
            from_state text CHECK (from_state IN ({_STATES})),
            to_state text NOT NULL CHECK (to_state IN ({_STATES})),
            detail jsonb NOT NULL,
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, party_id, case_id, version),
            FOREIGN KEY (bucket, party_id, case_id) REFERENCES service_case
        )""")
    place(op.execute, "service_case_move", "party", append_only=True)


def _what_is_said() -> None:
    op.execute("""
        CREATE TABLE service_case_message (
            bucket smallint NOT NULL,
            party_id uuid NOT NULL,
            case_id uuid NOT NULL,
            message_id uuid NOT NULL,
            audience text NOT NULL CHECK (audience IN ('buyer', 'staff')),
            body text NOT NULL CHECK (length(body) BETWEEN 1 AND 2000),
            actor text NOT NULL CHECK (actor <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, party_id, case_id, message_id),
            FOREIGN KEY (bucket, party_id, case_id) REFERENCES service_case
        )""")
    place(op.execute, "service_case_message", "party", append_only=True)
    op.execute("""
        CREATE TABLE service_case_evidence (
            bucket smallint NOT NULL,
            party_id uuid NOT NULL,
            case_id uuid NOT NULL,
            evidence_id uuid NOT NULL,
            audience text NOT NULL CHECK (audience IN ('buyer', 'staff')),
            name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
            media_type text NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg', 'image/webp', 'application/pdf')),
            size_bytes integer NOT NULL CHECK (size_bytes BETWEEN 1 AND 1048576),
            sha256 bytea NOT NULL CHECK (length(sha256) = 32),
            content bytea NOT NULL CHECK (length(content) = size_bytes),
            actor text NOT NULL CHECK (actor <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, party_id, case_id, evidence_id),
            FOREIGN KEY (bucket, party_id, case_id) REFERENCES service_case
        )""")
    place(op.execute, "service_case_evidence", "party", append_only=True)


def _what_is_decided() -> None:
    op.execute("""
        CREATE TABLE service_case_decision (
            bucket smallint NOT NULL,
            party_id uuid NOT NULL,
            case_id uuid NOT NULL,
            n integer NOT NULL CHECK (n > 0),
            stage text NOT NULL CHECK (stage IN ('asked', 'proposed', 'returned', 'decided')),
            outcome text NOT NULL CHECK (outcome <> ''),
            reasons text[] NOT NULL,
            inputs jsonb NOT NULL,
            told text NOT NULL CHECK (length(told) <= 2000),
            why text NOT NULL CHECK (length(why) BETWEEN 1 AND 500),
            proposer text CHECK (proposer <> actor),
            actor text NOT NULL CHECK (actor <> ''),
            at timestamptz NOT NULL,
            policy_version text NOT NULL,
            norms text NOT NULL,
            facts bytea NOT NULL,
            digest bytea NOT NULL CHECK (length(digest) = 32),
            PRIMARY KEY (bucket, party_id, case_id, n),
            FOREIGN KEY (bucket, party_id, case_id) REFERENCES service_case
        )""")
    place(op.execute, "service_case_decision", "party", append_only=True)


def downgrade() -> None:
    for table in ("decision", "evidence", "message", "move"):
        op.execute(f"DROP TABLE service_case_{table}")
    op.execute("DROP TABLE service_case")
