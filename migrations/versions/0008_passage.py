"""Passages: accounts at payment channels with their sealed credentials, maintenance windows and observed health.

What is declared is reference data. What is observed lies with the passage's own rows: a few counters a minute, written
in batches by every process, and the state of its circuit breaker.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0008_passage"
down_revision = "0007_cashier"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _declared()
    _observed()


def _declared() -> None:
    op.execute("""
        CREATE TABLE passage (
            passage_id uuid PRIMARY KEY,
            code text NOT NULL UNIQUE CHECK (code ~ '^[a-z][a-z0-9_-]{0,39}$'),
            channel text NOT NULL CHECK (channel ~ '^[a-z][a-z0-9_]{0,39}$'),
            merchant_id uuid REFERENCES merchant,
            endpoint text NOT NULL CHECK (endpoint ~ '^https?://[^ ]*[^ /]$'),
            state text NOT NULL CHECK (state IN ('active', 'banned', 'suspended', 'retired')),
            cost_ppm integer NOT NULL CHECK (cost_ppm BETWEEN 0 AND 1000000),
            fee_minor bigint NOT NULL CHECK (fee_minor >= 0),
            priority integer NOT NULL,
            scenes text[] NOT NULL,
            min_minor bigint NOT NULL CHECK (min_minor >= 1),
            max_minor bigint CHECK (max_minor >= min_minor),
            may_be_spare boolean NOT NULL,
            version bigint NOT NULL DEFAULT 1,
            registered_at timestamptz NOT NULL
        )""")
    place(op.execute, "passage", "reference")
    op.execute("""
        CREATE TABLE passage_credential (
            passage_id uuid NOT NULL REFERENCES passage,
            version integer NOT NULL CHECK (version >= 1),
            state text NOT NULL CHECK (state IN ('pending', 'current', 'retired')),
            sealed bytea NOT NULL CHECK (length(sealed) > 28),
            valid_from_at timestamptz,
            notices_until_at timestamptz,
            PRIMARY KEY (passage_id, version),
            CHECK ((state = 'pending') = (valid_from_at IS NULL)),
            CHECK ((state = 'retired') = (notices_until_at IS NOT NULL))
        )""")
    place(op.execute, "passage_credential", "reference")
    for state in ("pending", "current"):
        op.execute(f"""
            CREATE UNIQUE INDEX passage_credential_{state} ON passage_credential (passage_id)
            WHERE state = '{state}'""")
    op.execute("""
        CREATE TABLE passage_maintenance (
            passage_id uuid NOT NULL REFERENCES passage,
            maintenance_id uuid NOT NULL,
            from_at timestamptz NOT NULL,
            until_at timestamptz NOT NULL CHECK (until_at > from_at),
            why text NOT NULL CHECK (why <> ''),
            PRIMARY KEY (passage_id, maintenance_id)
        )""")
    place(op.execute, "passage_maintenance", "reference")
    op.execute("""
        CREATE TABLE passage_history (
            passage_id uuid NOT NULL REFERENCES passage,
            history_id uuid NOT NULL,
            verb text NOT NULL,
            from_state text,
            to_state text,
            detail jsonb NOT NULL DEFAULT '{}',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (passage_id, history_id)
        )""")
    place(op.execute, "passage_history", "reference", append_only=True)


def _observed() -> None:
    op.execute("""
        CREATE TABLE passage_health (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            passage_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ('closed', 'open')),
            opened_at timestamptz,
            until_at timestamptz,
            closed_at timestamptz,
            opens integer NOT NULL DEFAULT 0 CHECK (opens >= 0),
            failed_in_row integer NOT NULL DEFAULT 0 CHECK (failed_in_row >= 0),
            failed_at timestamptz,
            probe_at timestamptz,
            limited_until_at timestamptz,
            PRIMARY KEY (bucket, passage_id),
            CHECK ((state = 'closed') = (until_at IS NULL)),
            CHECK ((state = 'closed') = (opened_at IS NULL)),
            CHECK (state = 'open' OR opens = 0)
        )""")
    place(op.execute, "passage_health", "party")
    op.execute("""
        CREATE TABLE passage_outcome (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            passage_id uuid NOT NULL,
            minute_at timestamptz NOT NULL,
            ok_count bigint NOT NULL DEFAULT 0,
            timeout_count bigint NOT NULL DEFAULT 0,
            error_count bigint NOT NULL DEFAULT 0,
            declined_count bigint NOT NULL DEFAULT 0,
            limited_count bigint NOT NULL DEFAULT 0,
            latency_sum_ms bigint NOT NULL DEFAULT 0,
            latency_most_ms bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (bucket, passage_id, minute_at)
        )""")
    place(op.execute, "passage_outcome", "party")
    op.execute("""
        CREATE TABLE passage_health_change (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            passage_id uuid NOT NULL,
            change_id uuid NOT NULL,
            from_state text NOT NULL,
            to_state text NOT NULL,
            until_at timestamptz,
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, passage_id, change_id)
        )""")
    place(op.execute, "passage_health_change", "party", append_only=True)


def downgrade() -> None:
    for table in (
        "passage_health_change", "passage_outcome", "passage_health",
        "passage_history", "passage_maintenance", "passage_credential", "passage",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
