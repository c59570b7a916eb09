"""The cashier's tables: checkouts, payments with their tenders, decisions, and remedies under way.

A payment is one press of the button: its id comes from the idempotency key, its row is written once, with the answer.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0007_cashier"
down_revision = "0006_credit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE payment_intent (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            intent_id uuid NOT NULL,
            order_id uuid NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, intent_id),
            UNIQUE (bucket, consumer_id, order_id)
        )""")
    place(op.execute, "payment_intent", "consumer", append_only=True)
    op.execute("""
        CREATE TABLE decision (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            decision_id uuid NOT NULL,
            intent_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('offers', 'payment')),
            decided_at timestamptz NOT NULL,
            evaluator_version smallint NOT NULL,
            policy_version text NOT NULL,
            facts json NOT NULL,
            verdict json NOT NULL,
            PRIMARY KEY (bucket, consumer_id, decision_id)
        )""")
    place(op.execute, "decision", "consumer", append_only=True)
    op.execute("""
        CREATE INDEX decision_by_intent ON decision (bucket, consumer_id, intent_id, decided_at)""")
    op.execute("""
        CREATE TABLE payment (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            payment_id uuid NOT NULL,
            intent_id uuid NOT NULL,
            order_id uuid NOT NULL,
            input_hash bytea NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            method text NOT NULL,
            plan text NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('succeeded', 'refused')),
            decision_id uuid NOT NULL,
            decided_ms bigint NOT NULL,
            loan_id uuid,
            reasons json,
            paid_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, payment_id)
        )""")
    place(op.execute, "payment", "consumer", append_only=True)
    op.execute("""
        CREATE INDEX payment_by_order ON payment (bucket, consumer_id, order_id)""")
    op.execute("""
        CREATE TABLE tender (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            payment_id uuid NOT NULL,
            line smallint NOT NULL,
            method text NOT NULL,
            plan text NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            PRIMARY KEY (bucket, consumer_id, payment_id, line)
        )""")
    place(op.execute, "tender", "consumer", append_only=True)


def downgrade() -> None:
    for table in ("tender", "payment", "decision", "payment_intent"):
        op.execute(f"DROP TABLE {table}")
