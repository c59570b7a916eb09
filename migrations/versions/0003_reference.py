"""What changes rarely and every shard may read: merchants, catalogue, policies, staff; beside it the sellers' own rows.

`reference_epoch` counts the changes, so that a paying batch notices with one small read that a cache is stale.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0003_reference"
down_revision = "0002_ledger"
branch_labels = None
depends_on = None

EPOCH_KINDS = ("merchant", "catalogue", "policy", "channel")


def upgrade() -> None:
    _epoch()
    _merchants()
    _catalogue()
    _stock()
    _policies()
    _staff()


def _epoch() -> None:
    op.execute("""
        CREATE TABLE reference_epoch (
            kind text PRIMARY KEY,
            epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0)
        )""")
    place(op.execute, "reference_epoch", "reference")
    values = ", ".join(f"('{kind}', 0)" for kind in EPOCH_KINDS)
    op.execute(f"INSERT INTO reference_epoch (kind, epoch) VALUES {values}")


def _merchants() -> None:
    op.execute("""
        CREATE TABLE merchant (
            merchant_id uuid PRIMARY KEY,
            number text NOT NULL UNIQUE,
            kind text NOT NULL CHECK (kind IN ('self_operated', 'third_party', 'external')),
            name_zh text NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 80),
            name_en text NOT NULL CHECK (length(name_en) BETWEEN 1 AND 80),
            state text NOT NULL CHECK (state IN ('active', 'frozen', 'contract_expired', 'collection_cap', 'closed')),
            state_until_at timestamptz,
            version bigint NOT NULL DEFAULT 1,
            registered_at timestamptz NOT NULL
        )""")
    place(op.execute, "merchant", "reference")
    op.execute("""
        CREATE TABLE merchant_contract (
            merchant_id uuid NOT NULL REFERENCES merchant,
            method text NOT NULL CHECK (length(method) BETWEEN 1 AND 40),
            effective_on date NOT NULL,
            ends_on date CHECK (ends_on >= effective_on),
            PRIMARY KEY (merchant_id, method, effective_on)
        )""")
    place(op.execute, "merchant_contract", "reference")
    op.execute("""
        CREATE TABLE merchant_related_party (
            merchant_id uuid NOT NULL REFERENCES merchant,
            person_hash bytea NOT NULL CHECK (length(person_hash) = 32),
            relation text NOT NULL CHECK (relation IN ('owner', 'spouse', 'legal_person', 'beneficiary', 'staff')),
            PRIMARY KEY (merchant_id, person_hash)
        )""")
    place(op.execute, "merchant_related_party", "reference")
    op.execute("""
        CREATE TABLE merchant_history (
            merchant_id uuid NOT NULL REFERENCES merchant,
            history_id uuid NOT NULL,
            verb text NOT NULL,
            from_state text,
            to_state text,
            detail jsonb NOT NULL DEFAULT '{}',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, history_id)
        )""")
    place(op.execute, "merchant_history", "reference", append_only=True)
    op.execute("""
        CREATE TABLE merchant_api_key (
            key_hash bytea PRIMARY KEY CHECK (length(key_hash) = 32),
            merchant_id uuid NOT NULL,
            label text NOT NULL CHECK (length(label) BETWEEN 1 AND 60),
            scopes text[] NOT NULL,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz,
            revoked_by text,
            revoked_at timestamptz
        )""")
    place(op.execute, "merchant_api_key", "directory", by="key_hash")
    op.execute("""
        CREATE TABLE merchant_ask (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            method text NOT NULL,
            consumer_id uuid NOT NULL,
            scene text NOT NULL,
            asked_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, method, consumer_id)
        )""")
    place(op.execute, "merchant_ask", "party", append_only=True)


def _catalogue() -> None:
    op.execute("""
        CREATE TABLE category (
            code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,39}$'),
            parent_code text REFERENCES category,
            name_zh text NOT NULL,
            name_en text NOT NULL,
            position integer NOT NULL
        )""")
    place(op.execute, "category", "reference")
    op.execute("""
        CREATE TABLE goods (
            goods_id uuid PRIMARY KEY,
            category_code text NOT NULL REFERENCES category,
            name_zh text NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 120),
            name_en text NOT NULL CHECK (length(name_en) BETWEEN 1 AND 120),
            about_zh text NOT NULL,
            about_en text NOT NULL,
            is_virtual boolean NOT NULL DEFAULT false,
            added_at timestamptz NOT NULL
        )""")
    place(op.execute, "goods", "reference")
    op.execute("CREATE INDEX goods_by_category ON goods (category_code)")
    op.execute("""
        CREATE TABLE sku (
            sku_id uuid PRIMARY KEY,
            goods_id uuid NOT NULL REFERENCES goods,
            number text NOT NULL UNIQUE,
            variant_zh text NOT NULL,
            variant_en text NOT NULL,
            colour text NOT NULL CHECK (colour ~ '^#[0-9a-f]{6}$'),
            position integer NOT NULL
        )""")
    place(op.execute, "sku", "reference")
    op.execute("CREATE INDEX sku_by_goods ON sku (goods_id)")
    op.execute("""
        CREATE TABLE offer (
            sku_id uuid NOT NULL REFERENCES sku,
            merchant_id uuid NOT NULL REFERENCES merchant,
            state text NOT NULL CHECK (state IN ('on_sale', 'off_sale')),
            price_minor bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 10000000000),
            scenes text[] NOT NULL,
            deliveries text[] NOT NULL,
            is_gift boolean NOT NULL DEFAULT false,
            is_cross_border boolean NOT NULL DEFAULT false,
            is_subscription boolean NOT NULL DEFAULT false,
            is_trade_in_subsidised boolean NOT NULL DEFAULT false,
            deposit_minor bigint CHECK (deposit_minor > 0 AND deposit_minor < price_minor),
            tail_from_at timestamptz,
            version bigint NOT NULL DEFAULT 1,
            PRIMARY KEY (sku_id, merchant_id),
            CHECK (price_minor > 0 OR is_gift),
            CHECK ((deposit_minor IS NULL) = (tail_from_at IS NULL))
        )""")
    place(op.execute, "offer", "reference")
    op.execute("CREATE INDEX offer_by_merchant ON offer (merchant_id)")
    op.execute("""
        CREATE TABLE catalogue_history (
            history_id uuid PRIMARY KEY,
            sku_id uuid,
            merchant_id uuid,
            verb text NOT NULL,
            detail jsonb NOT NULL DEFAULT '{}',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL
        )""")
    place(op.execute, "catalogue_history", "reference", append_only=True)
    op.execute("CREATE INDEX catalogue_history_by_sku ON catalogue_history (sku_id, merchant_id)")


def _stock() -> None:
    op.execute("""
        CREATE TABLE stock (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            merchant_id uuid NOT NULL,
            sku_id uuid NOT NULL,
            on_hand bigint NOT NULL CHECK (on_hand >= 0),
            reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
            PRIMARY KEY (bucket, merchant_id, sku_id),
            CHECK (reserved <= on_hand)
        )""")
    place(op.execute, "stock", "party")
    op.execute("""
        CREATE TABLE stock_reservation (
            bucket smallint NOT NULL,
            merchant_id uuid NOT NULL,
            line_id uuid NOT NULL,
            sku_id uuid NOT NULL,
            quantity integer NOT NULL CHECK (quantity > 0),
            state text NOT NULL CHECK (state IN ('held', 'consumed', 'released')),
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, line_id),
            FOREIGN KEY (bucket, merchant_id, sku_id) REFERENCES stock
        )""")
    place(op.execute, "stock_reservation", "party")
    op.execute("""
        CREATE INDEX stock_reservation_held ON stock_reservation (bucket, expires_at) WHERE state = 'held'""")
    op.execute("""
        CREATE TABLE stock_move (
            bucket smallint NOT NULL,
            merchant_id uuid NOT NULL,
            move_id uuid NOT NULL,
            sku_id uuid NOT NULL,
            verb text NOT NULL CHECK (verb IN ('receive', 'reserve', 'release', 'consume')),
            on_hand_change bigint NOT NULL,
            reserved_change bigint NOT NULL,
            line_id uuid,
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, merchant_id, move_id)
        )""")
    place(op.execute, "stock_move", "party", append_only=True)


def _policies() -> None:
    op.execute("""
        CREATE TABLE policy_version (
            policy_id uuid PRIMARY KEY,
            number text NOT NULL UNIQUE CHECK (number ~ '^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$'),
            state text NOT NULL CHECK (state IN ('draft', 'published', 'withdrawn')),
            document jsonb NOT NULL,
            document_hash bytea NOT NULL CHECK (length(document_hash) = 32),
            maker text NOT NULL CHECK (maker <> ''),
            made_at timestamptz NOT NULL,
            checker text CHECK (checker <> maker),
            published_at timestamptz,
            effective_at timestamptz,
            CHECK ((state = 'draft') = (published_at IS NULL)),
            CHECK ((checker IS NULL) = (published_at IS NULL)),
            CHECK ((effective_at IS NULL) = (published_at IS NULL)),
            CHECK (effective_at >= published_at)
        )""")
    place(op.execute, "policy_version", "reference")
    op.execute("CREATE UNIQUE INDEX policy_in_force ON policy_version (effective_at) WHERE state = 'published'")
    op.execute("""
        CREATE TABLE policy_history (
            policy_id uuid NOT NULL REFERENCES policy_version,
            history_id uuid NOT NULL,
            verb text NOT NULL CHECK (verb IN ('draft', 'publish', 'withdraw')),
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (policy_id, history_id)
        )""")
    place(op.execute, "policy_history", "reference", append_only=True)


def _staff() -> None:
    op.execute("""
        CREATE TABLE staff (
            staff_id uuid PRIMARY KEY,
            sign_in_name text NOT NULL UNIQUE CHECK (sign_in_name ~ '^[a-z][a-z0-9._-]{2,39}$'),
            name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
            password_hash text NOT NULL,
            roles text[] NOT NULL CHECK (roles <@ ARRAY['support', 'risk', 'accountant', 'operator']),
            state text NOT NULL CHECK (state IN ('active', 'disabled')),
            failures integer NOT NULL DEFAULT 0,
            blocked_until_at timestamptz,
            created_at timestamptz NOT NULL
        )""")
    place(op.execute, "staff", "reference")
    op.execute("""
        CREATE TABLE staff_session (
            token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
            staff_id uuid NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            ended_at timestamptz
        )""")
    place(op.execute, "staff_session", "directory", by="token_hash")
    op.execute("""
        CREATE TABLE staff_audit (
            staff_id uuid NOT NULL,
            audit_id uuid NOT NULL,
            action text NOT NULL CHECK (action <> ''),
            subject text NOT NULL,
            why text NOT NULL CHECK (length(why) BETWEEN 1 AND 500),
            detail jsonb NOT NULL DEFAULT '{}',
            at timestamptz NOT NULL,
            PRIMARY KEY (staff_id, audit_id)
        )""")
    place(op.execute, "staff_audit", "local", append_only=True)
    op.execute("CREATE INDEX staff_audit_by_subject ON staff_audit (subject, at)")


def downgrade() -> None:
    for table in (
        "staff_audit", "staff_session", "staff", "policy_history", "policy_version",
        "stock_move", "stock_reservation", "stock", "catalogue_history", "offer", "sku", "goods", "category",
        "merchant_ask", "merchant_api_key", "merchant_history", "merchant_related_party", "merchant_contract",
        "merchant", "reference_epoch",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
