"""Carts and orders: lines carry the price that was agreed, every move of an order is kept with who, when and why.

An order's short number and a partner's own number find their owner through `order_directory`.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0005_order"
down_revision = "0004_customer"
branch_labels = None
depends_on = None

SCENES = "('mall', 'instalment_mall', 'partner_store', 'scan_to_pay')"


def upgrade() -> None:
    _cart()
    _orders()
    _lines()
    _coupons()
    _moves()


def _cart() -> None:
    op.execute(f"""
        CREATE TABLE cart_line (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            consumer_id uuid NOT NULL,
            scene text NOT NULL CHECK (scene IN {SCENES}),
            sku_id uuid NOT NULL,
            merchant_id uuid NOT NULL,
            quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 999),
            added_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, scene, sku_id, merchant_id)
        )""")
    place(op.execute, "cart_line", "consumer")


def _orders() -> None:
    op.execute(f"""
        CREATE TABLE orders (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            consumer_id uuid NOT NULL,
            order_id uuid NOT NULL,
            number text NOT NULL,
            scene text NOT NULL CHECK (scene IN {SCENES}),
            state text NOT NULL CHECK (state IN ('awaiting_payment', 'paid', 'closed', 'expired')),
            currency text NOT NULL CHECK (currency ~ '^[A-Z]{{3}}$'),
            payable_minor bigint NOT NULL CHECK (payable_minor BETWEEN 1 AND 10000000000),
            buyer_kind text NOT NULL CHECK (buyer_kind IN ('person', 'enterprise')),
            delivery text NOT NULL CHECK (delivery IN ('express', 'pick_up', 'cash_on_delivery', 'virtual')),
            presale_stage text CHECK (presale_stage IN ('deposit', 'tail')),
            tail_from_at timestamptz,
            made_from_order_id uuid,
            placed_at timestamptz NOT NULL,
            pay_by_at timestamptz NOT NULL,
            paid_at timestamptz,
            payment_id uuid,
            version bigint NOT NULL DEFAULT 1,
            PRIMARY KEY (bucket, consumer_id, order_id),
            CHECK (pay_by_at > placed_at),
            CHECK ((state = 'paid') = (paid_at IS NOT NULL)),
            CHECK ((paid_at IS NULL) = (payment_id IS NULL)),
            CHECK (presale_stage IS NULL OR tail_from_at IS NOT NULL)
        ) WITH (fillfactor = 80)""")
    place(op.execute, "orders", "consumer")
    # No column that paying changes is indexed, so that the update stays on its page (HOT).
    op.execute("CREATE INDEX orders_by_deadline ON orders (bucket, pay_by_at)")
    op.execute("""
        CREATE TABLE order_directory (
            number text PRIMARY KEY CHECK (length(number) BETWEEN 6 AND 120),
            consumer_id uuid NOT NULL,
            order_id uuid NOT NULL,
            claimed_at timestamptz NOT NULL
        )""")
    place(op.execute, "order_directory", "directory", by="number")
    op.execute("CREATE INDEX order_directory_by_time ON order_directory (claimed_at)")


def _lines() -> None:
    op.execute("""
        CREATE TABLE order_line (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            line_id uuid NOT NULL,
            order_id uuid NOT NULL,
            position smallint NOT NULL,
            sku_id uuid NOT NULL,
            merchant_id uuid NOT NULL,
            category text NOT NULL,
            title_zh text NOT NULL,
            title_en text NOT NULL,
            quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 999),
            unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
            discount_minor bigint NOT NULL DEFAULT 0 CHECK (discount_minor >= 0),
            amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
            is_gift boolean NOT NULL DEFAULT false,
            is_virtual boolean NOT NULL DEFAULT false,
            is_cross_border boolean NOT NULL DEFAULT false,
            is_subscription boolean NOT NULL DEFAULT false,
            is_trade_in_subsidised boolean NOT NULL DEFAULT false,
            PRIMARY KEY (bucket, consumer_id, line_id),
            FOREIGN KEY (bucket, consumer_id, order_id) REFERENCES orders,
            CHECK (amount_minor = unit_price_minor * quantity - discount_minor)
        )""")
    place(op.execute, "order_line", "consumer")
    op.execute("CREATE INDEX order_line_by_order ON order_line (bucket, consumer_id, order_id)")


def _coupons() -> None:
    op.execute("""
        CREATE TABLE order_coupon (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            order_id uuid NOT NULL,
            coupon_id uuid NOT NULL,
            methods text[] NOT NULL DEFAULT '{}',
            combines_with_credit boolean NOT NULL DEFAULT true,
            combines_with_interest_free boolean NOT NULL DEFAULT true,
            PRIMARY KEY (bucket, consumer_id, order_id, coupon_id),
            FOREIGN KEY (bucket, consumer_id, order_id) REFERENCES orders
        )""")
    place(op.execute, "order_coupon", "consumer")
    op.execute("""
        CREATE TABLE order_line_coupon (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            line_id uuid NOT NULL,
            coupon_id uuid NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            PRIMARY KEY (bucket, consumer_id, line_id, coupon_id),
            FOREIGN KEY (bucket, consumer_id, line_id) REFERENCES order_line
        )""")
    place(op.execute, "order_line_coupon", "consumer")


def _moves() -> None:
    op.execute("""
        CREATE TABLE order_move (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            order_id uuid NOT NULL,
            version bigint NOT NULL,
            verb text NOT NULL,
            from_state text,
            to_state text NOT NULL,
            detail jsonb NOT NULL DEFAULT '{}',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, order_id, version)
        )""")
    place(op.execute, "order_move", "consumer", append_only=True)


def downgrade() -> None:
    for table in (
        "order_move", "order_line_coupon", "order_coupon", "order_line", "order_directory", "orders", "cart_line",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
