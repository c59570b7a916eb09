"""Attempts at channels, what channels give back, and their notices; an order counts the attempts that are open.

An attempt's row is written before the channel is called. Its terms say what its success will book, so that any
process can finish what another began.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0009_attempt"
down_revision = "0008_passage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN attempts_open smallint NOT NULL DEFAULT 0 CHECK (attempts_open >= 0)")
    op.execute("ALTER TABLE bound_card ADD COLUMN sealed_number bytea CHECK (length(sealed_number) > 28)")
    _attempts()
    _refunds()
    _notices()


def _attempts() -> None:
    op.execute("""
        CREATE TABLE attempt (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            attempt_id uuid NOT NULL,
            purpose text NOT NULL CHECK (purpose IN ('order', 'top_up', 'withdrawal')),
            payment_id uuid NOT NULL,
            order_id uuid,
            intent_id uuid,
            decision_id uuid,
            input_hash bytea NOT NULL,
            passage_id uuid NOT NULL,
            passage text NOT NULL,
            channel text NOT NULL,
            method text NOT NULL,
            plan text NOT NULL,
            way text NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            currency text NOT NULL,
            subject text NOT NULL,
            instrument text NOT NULL DEFAULT '',
            terms json NOT NULL,
            is_held boolean NOT NULL,
            state text NOT NULL CHECK (state IN ('created', 'unknown', 'pending', 'succeeded', 'declined', 'closed')),
            disposition text CHECK (disposition IN ('applied', 'returned')),
            handover json,
            channel_no text NOT NULL DEFAULT '',
            code text NOT NULL DEFAULT '',
            reason text NOT NULL DEFAULT '',
            message text NOT NULL DEFAULT '',
            paid_minor bigint NOT NULL DEFAULT 0,
            paid_currency text NOT NULL DEFAULT '',
            payer_hint text NOT NULL DEFAULT '',
            paid_at timestamptz,
            made_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            ask_at timestamptz,
            asks smallint NOT NULL DEFAULT 0,
            version bigint NOT NULL DEFAULT 1,
            PRIMARY KEY (bucket, consumer_id, attempt_id),
            CHECK ((purpose = 'order') = (order_id IS NOT NULL)),
            CHECK ((state = 'succeeded') = (disposition IS NOT NULL)),
            CHECK ((state = 'succeeded') = (paid_at IS NOT NULL))
        )""")
    place(op.execute, "attempt", "consumer")
    op.execute("CREATE INDEX attempt_by_order ON attempt (bucket, consumer_id, order_id)")
    op.execute("CREATE INDEX attempt_by_payment ON attempt (bucket, consumer_id, payment_id)")
    op.execute("""
        CREATE UNIQUE INDEX attempt_once ON attempt (bucket, consumer_id, payment_id) WHERE purpose <> 'order'""")
    op.execute("CREATE INDEX attempt_to_ask ON attempt (bucket, ask_at) WHERE ask_at IS NOT NULL")
    op.execute("""
        CREATE TABLE attempt_move (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            attempt_id uuid NOT NULL,
            version bigint NOT NULL,
            verb text NOT NULL,
            from_state text,
            to_state text NOT NULL,
            detail json NOT NULL DEFAULT '{}',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, attempt_id, version)
        )""")
    place(op.execute, "attempt_move", "consumer", append_only=True)


def _refunds() -> None:
    op.execute("""
        CREATE TABLE channel_refund (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            refund_id uuid NOT NULL,
            attempt_id uuid NOT NULL,
            order_refund_id uuid,
            cause text NOT NULL CHECK (cause IN ('refund', 'late', 'double', 'mismatch')),
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            state text NOT NULL CHECK (state IN ('created', 'unknown', 'pending', 'succeeded', 'failed', 'diverted')),
            channel_no text NOT NULL DEFAULT '',
            code text NOT NULL DEFAULT '',
            reason text NOT NULL DEFAULT '',
            message text NOT NULL DEFAULT '',
            why text NOT NULL CHECK (why <> ''),
            made_at timestamptz NOT NULL,
            finished_at timestamptz,
            ask_at timestamptz,
            asks smallint NOT NULL DEFAULT 0,
            version bigint NOT NULL DEFAULT 1,
            PRIMARY KEY (bucket, consumer_id, refund_id),
            FOREIGN KEY (bucket, consumer_id, attempt_id) REFERENCES attempt
        )""")
    place(op.execute, "channel_refund", "consumer")
    op.execute("CREATE INDEX channel_refund_by_attempt ON channel_refund (bucket, consumer_id, attempt_id)")
    op.execute("CREATE INDEX channel_refund_to_ask ON channel_refund (bucket, ask_at) WHERE ask_at IS NOT NULL")
    op.execute("""
        CREATE TABLE channel_refund_move (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            refund_id uuid NOT NULL,
            version bigint NOT NULL,
            from_state text,
            to_state text NOT NULL,
            detail json NOT NULL DEFAULT '{}',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, refund_id, version)
        )""")
    place(op.execute, "channel_refund_move", "consumer", append_only=True)


def _notices() -> None:
    op.execute("""
        CREATE TABLE channel_notice (
            number text NOT NULL,
            notice_id uuid NOT NULL,
            passage text NOT NULL,
            channel text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('payment', 'refund', 'refused')),
            state text NOT NULL CHECK (state IN ('received', 'done', 'parked', 'refused')),
            code text NOT NULL DEFAULT '',
            headers json NOT NULL,
            body bytea NOT NULL,
            result json,
            times integer NOT NULL DEFAULT 1,
            received_at timestamptz NOT NULL,
            done_at timestamptz,
            PRIMARY KEY (number, notice_id)
        )""")
    place(op.execute, "channel_notice", "directory", by="number")
    op.execute("CREATE INDEX channel_notice_to_do ON channel_notice (received_at) WHERE state = 'received'")
    op.execute("CREATE INDEX channel_notice_by_time ON channel_notice (received_at)")


def downgrade() -> None:
    for table in ("channel_notice", "channel_refund_move", "channel_refund", "attempt_move", "attempt"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE bound_card DROP COLUMN sealed_number")
    op.execute("ALTER TABLE orders DROP COLUMN attempts_open")
