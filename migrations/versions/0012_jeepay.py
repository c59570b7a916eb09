"""For those who come from Jeepay: a partner's apps, its pay orders and refunds by its own numbers, and their notices.

A partner's rows lie in the partner's own bucket, each under an id that its number stands for, so one statement finds or
claims it. Buyers who pay there without an account get a row of the kind `walk_in`.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0012_jeepay"
down_revision = "0011_refund"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE consumer ADD COLUMN kind text NOT NULL DEFAULT 'account'
            CHECK (kind IN ('account', 'walk_in'))""")
    _apps()
    _orders()
    _notices()


def _apps() -> None:
    op.execute("""
        CREATE TABLE jeepay_app (
            app_id uuid PRIMARY KEY,
            merchant_id uuid NOT NULL,
            label text NOT NULL CHECK (length(label) BETWEEN 1 AND 60),
            category text NOT NULL,
            sealed bytea NOT NULL,
            made_by text NOT NULL CHECK (made_by <> ''),
            why text NOT NULL CHECK (why <> ''),
            made_at timestamptz NOT NULL,
            revoked_by text,
            revoked_at timestamptz,
            CHECK ((revoked_by IS NULL) = (revoked_at IS NULL))
        )""")
    place(op.execute, "jeepay_app", "directory", by="app_id")
    op.execute("CREATE INDEX jeepay_app_by_merchant ON jeepay_app (merchant_id)")


def _orders() -> None:
    op.execute("""
        CREATE TABLE jeepay_order (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            pay_order_id uuid NOT NULL,
            app_id uuid NOT NULL,
            mch_order_no text NOT NULL CHECK (length(mch_order_no) BETWEEN 1 AND 64),
            way_code text NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            currency text NOT NULL,
            subject text NOT NULL,
            body text NOT NULL,
            client_ip text NOT NULL,
            notify_url text NOT NULL,
            return_url text NOT NULL,
            ext_param text NOT NULL,
            asked_hash bytea NOT NULL CHECK (length(asked_hash) = 32),
            order_id uuid NOT NULL,
            consumer_id uuid,
            made_at timestamptz NOT NULL,
            pay_by_at timestamptz NOT NULL,
            closed_at timestamptz,
            PRIMARY KEY (bucket, merchant_id, pay_order_id)
        )""")
    place(op.execute, "jeepay_order", "party")
    op.execute("CREATE INDEX jeepay_order_by_order ON jeepay_order (bucket, merchant_id, order_id)")
    op.execute("""
        CREATE TABLE jeepay_refund (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            refund_id uuid NOT NULL,
            pay_order_id uuid NOT NULL,
            app_id uuid NOT NULL,
            mch_refund_no text NOT NULL CHECK (length(mch_refund_no) BETWEEN 1 AND 64),
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            notify_url text NOT NULL,
            ext_param text NOT NULL,
            asked_hash bytea NOT NULL CHECK (length(asked_hash) = 32),
            made_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, refund_id),
            FOREIGN KEY (bucket, merchant_id, pay_order_id) REFERENCES jeepay_order
        )""")
    place(op.execute, "jeepay_refund", "party", append_only=True)


def _notices() -> None:
    op.execute("""
        CREATE TABLE jeepay_notice (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            notice_id uuid NOT NULL,
            app_id uuid NOT NULL,
            about text NOT NULL CHECK (about IN ('pay', 'refund')),
            subject_id uuid NOT NULL,
            url text NOT NULL,
            fields bytea NOT NULL,
            state text NOT NULL CHECK (state IN ('pending', 'taken', 'given_up')),
            tries integer NOT NULL DEFAULT 0,
            next_at timestamptz NOT NULL,
            leased_until_at timestamptz,
            last_status smallint,
            last_said text NOT NULL DEFAULT '',
            made_at timestamptz NOT NULL,
            finished_at timestamptz,
            PRIMARY KEY (bucket, merchant_id, notice_id)
        )""")
    place(op.execute, "jeepay_notice", "party")
    op.execute("CREATE INDEX jeepay_notice_due ON jeepay_notice (bucket, next_at) WHERE state = 'pending'")
    op.execute("CREATE INDEX jeepay_notice_by_subject ON jeepay_notice (bucket, merchant_id, subject_id)")


def downgrade() -> None:
    for table in ("jeepay_notice", "jeepay_refund", "jeepay_order", "jeepay_app"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE consumer DROP COLUMN kind")
