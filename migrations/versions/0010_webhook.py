"""What merchants are told and may ask for: their shares of payments and refunds, webhooks with every try, API keys.

A merchant's rows lie in the merchant's own bucket, written by the relay; a payment itself touches none of them. An
event's body is kept as it is sent, so that a replay is the same byte for byte.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0010_webhook"
down_revision = "0009_attempt"
branch_labels = None
depends_on = None

TYPES = (
    "payment.succeeded", "payment.refused", "payment.closed",
    "refund.created", "refund.succeeded", "refund.failed", "webhook.test",
)  # fmt: skip


def upgrade() -> None:
    _api_keys()
    _shares()
    _endpoints()
    _events()
    _notices()


def _api_keys() -> None:
    """Keys get an id by which they are listed and revoked; those that are there, the head of their hash."""
    op.execute("ALTER TABLE merchant_api_key ADD COLUMN key_id uuid")
    op.execute("ALTER TABLE merchant_api_key ADD COLUMN last_used_on date")
    op.execute("UPDATE merchant_api_key SET key_id = encode(substring(key_hash FOR 16), 'hex')::uuid")
    op.execute("ALTER TABLE merchant_api_key ALTER COLUMN key_id SET NOT NULL")
    op.execute("CREATE INDEX merchant_api_key_by_merchant ON merchant_api_key (merchant_id)")


def _shares() -> None:
    op.execute("""
        CREATE TABLE merchant_payment (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            payment_id uuid NOT NULL,
            consumer_id uuid NOT NULL,
            order_id uuid NOT NULL,
            order_number text NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
            currency text NOT NULL,
            paid_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, payment_id)
        )""")
    place(op.execute, "merchant_payment", "party", append_only=True)
    op.execute("CREATE INDEX merchant_payment_by_time ON merchant_payment (bucket, merchant_id, paid_at, payment_id)")
    op.execute("""
        CREATE TABLE merchant_refund (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            refund_id uuid NOT NULL,
            payment_id uuid NOT NULL,
            order_id uuid NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            state text NOT NULL CHECK (state IN ('created', 'succeeded', 'failed')),
            code text NOT NULL DEFAULT '',
            made_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, refund_id)
        )""")
    place(op.execute, "merchant_refund", "party")
    op.execute("CREATE INDEX merchant_refund_by_time ON merchant_refund (bucket, merchant_id, made_at, refund_id)")
    op.execute("CREATE INDEX merchant_refund_by_payment ON merchant_refund (bucket, merchant_id, payment_id)")


def _endpoints() -> None:
    op.execute("""
        CREATE TABLE webhook_endpoint (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            endpoint_id uuid NOT NULL,
            url text NOT NULL CHECK (length(url) BETWEEN 8 AND 500),
            topics text[] NOT NULL,
            state text NOT NULL CHECK (state IN ('active', 'disabled', 'removed')),
            failing_since_at timestamptz,
            version bigint NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, endpoint_id)
        )""")
    place(op.execute, "webhook_endpoint", "party")
    op.execute("""
        CREATE TABLE webhook_secret (
            bucket smallint NOT NULL,
            merchant_id uuid NOT NULL,
            endpoint_id uuid NOT NULL,
            secret_id uuid NOT NULL,
            sealed bytea NOT NULL,
            made_at timestamptz NOT NULL,
            ends_at timestamptz,
            PRIMARY KEY (bucket, merchant_id, endpoint_id, secret_id),
            FOREIGN KEY (bucket, merchant_id, endpoint_id) REFERENCES webhook_endpoint
        )""")
    place(op.execute, "webhook_secret", "party")
    op.execute("""
        CREATE TABLE webhook_history (
            bucket smallint NOT NULL,
            merchant_id uuid NOT NULL,
            endpoint_id uuid NOT NULL,
            history_id uuid NOT NULL,
            verb text NOT NULL,
            from_state text,
            to_state text,
            detail jsonb NOT NULL DEFAULT '{}',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, endpoint_id, history_id),
            FOREIGN KEY (bucket, merchant_id, endpoint_id) REFERENCES webhook_endpoint
        )""")
    place(op.execute, "webhook_history", "party", append_only=True)


def _events() -> None:
    types = ", ".join(f"'{one}'" for one in TYPES)
    op.execute(f"""
        CREATE TABLE webhook_event (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            event_id uuid NOT NULL,
            type text NOT NULL CHECK (type IN ({types})),
            payment_id uuid,
            seq integer NOT NULL CHECK (seq > 0),
            body bytea NOT NULL,
            made_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, event_id),
            UNIQUE (bucket, merchant_id, payment_id, seq)
        )""")
    place(op.execute, "webhook_event", "party", append_only=True)
    op.execute("CREATE INDEX webhook_event_by_time ON webhook_event (bucket, merchant_id, made_at, seq, event_id)")
    op.execute("""
        CREATE TABLE webhook_delivery (
            bucket smallint NOT NULL,
            merchant_id uuid NOT NULL,
            endpoint_id uuid NOT NULL,
            event_id uuid NOT NULL,
            payment_id uuid,
            seq integer NOT NULL,
            state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'given_up')),
            rung smallint NOT NULL DEFAULT 0,
            tries integer NOT NULL DEFAULT 0,
            next_at timestamptz NOT NULL,
            leased_until_at timestamptz,
            last_status smallint,
            finished_at timestamptz,
            PRIMARY KEY (bucket, merchant_id, endpoint_id, event_id),
            FOREIGN KEY (bucket, merchant_id, endpoint_id) REFERENCES webhook_endpoint,
            FOREIGN KEY (bucket, merchant_id, event_id) REFERENCES webhook_event
        )""")
    place(op.execute, "webhook_delivery", "party")
    op.execute("CREATE INDEX webhook_delivery_due ON webhook_delivery (bucket, next_at) WHERE state = 'pending'")
    op.execute("CREATE INDEX webhook_delivery_by_time ON webhook_delivery (next_at, bucket) WHERE state = 'pending'")
    op.execute("""
        CREATE INDEX webhook_delivery_before ON webhook_delivery (bucket, merchant_id, endpoint_id, payment_id, seq)
        WHERE state = 'pending'""")
    op.execute("""
        CREATE TABLE webhook_try (
            bucket smallint NOT NULL,
            merchant_id uuid NOT NULL,
            endpoint_id uuid NOT NULL,
            event_id uuid NOT NULL,
            try_no integer NOT NULL CHECK (try_no > 0),
            begun_at timestamptz NOT NULL,
            ended_at timestamptz,
            latency_ms integer CHECK (latency_ms >= 0),
            status smallint,
            error text NOT NULL DEFAULT '',
            answer bytea NOT NULL DEFAULT '' CHECK (octet_length(answer) <= 1024),
            PRIMARY KEY (bucket, merchant_id, endpoint_id, event_id, try_no),
            FOREIGN KEY (bucket, merchant_id, endpoint_id, event_id) REFERENCES webhook_delivery
        )""")
    place(op.execute, "webhook_try", "party")


def _notices() -> None:
    op.execute("""
        CREATE TABLE merchant_notice (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            notice_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('webhook_disabled')),
            detail jsonb NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, notice_id)
        )""")
    place(op.execute, "merchant_notice", "party", append_only=True)


def downgrade() -> None:
    for table in (
        "merchant_notice", "webhook_try", "webhook_delivery", "webhook_event", "webhook_history", "webhook_secret",
        "webhook_endpoint", "merchant_refund", "merchant_payment",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP INDEX merchant_api_key_by_merchant")
    op.execute("ALTER TABLE merchant_api_key DROP COLUMN last_used_on")
    op.execute("ALTER TABLE merchant_api_key DROP COLUMN key_id")
