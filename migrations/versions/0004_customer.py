"""Consumers: what decisions use, apart from who they are; cards, codes, sessions, and the directory that finds them.

`consumer` holds derived values only. Names, numbers and phones are sealed in `consumer_person`; looked-up values are
keyed hashes in `consumer_directory`.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0004_customer"
down_revision = "0003_reference"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _consumer()
    _person()
    _cards_and_codes()
    _sessions()
    _directory()


def _consumer() -> None:
    op.execute("""
        CREATE TABLE consumer (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            consumer_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ('active', 'closed')),
            password_hash text NOT NULL,
            pay_password text NOT NULL DEFAULT 'none' CHECK (pay_password IN ('none', 'set', 'locked')),
            pay_password_hash text,
            pay_password_failures integer NOT NULL DEFAULT 0,
            pay_password_locked_until_at timestamptz,
            real_name text NOT NULL DEFAULT 'none' CHECK (real_name IN ('none', 'verified', 'mismatch')),
            person_hash bytea CHECK (length(person_hash) = 32),
            birth_on date,
            sex text CHECK (sex IN ('female', 'male')),
            id_document_until_on date,
            region text NOT NULL DEFAULT 'CN' CHECK (region IN ('CN', 'HK', 'MO', 'TW', 'other')),
            is_student boolean NOT NULL DEFAULT false,
            child_mode boolean NOT NULL DEFAULT false,
            phone_reachable boolean NOT NULL DEFAULT true,
            sms_window_from_at timestamptz,
            sms_window_count integer NOT NULL DEFAULT 0,
            sms_last_at timestamptz,
            sms_blocked_until_at timestamptz,
            stepped_up_until_at timestamptz,
            money_account text NOT NULL DEFAULT 'none' CHECK (money_account IN ('none', 'active', 'frozen')),
            pay_switch_on boolean NOT NULL DEFAULT true,
            version bigint NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id),
            CHECK ((pay_password = 'none') = (pay_password_hash IS NULL)),
            CHECK ((real_name = 'none') = (person_hash IS NULL)),
            CHECK (real_name = 'none' OR birth_on IS NOT NULL)
        )""")
    place(op.execute, "consumer", "consumer")
    op.execute("""
        CREATE TABLE consumer_history (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            history_id uuid NOT NULL,
            verb text NOT NULL,
            detail jsonb NOT NULL DEFAULT '{}',
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, history_id)
        )""")
    place(op.execute, "consumer_history", "consumer", append_only=True)


def _person() -> None:
    op.execute("""
        CREATE TABLE consumer_person (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            sign_in_name_sealed bytea NOT NULL,
            phone_sealed bytea NOT NULL,
            name_sealed bytea,
            id_number_sealed bytea,
            PRIMARY KEY (bucket, consumer_id)
        )""")
    place(op.execute, "consumer_person", "consumer")


def _cards_and_codes() -> None:
    op.execute("""
        CREATE TABLE sms_code (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            code_id uuid NOT NULL,
            purpose text NOT NULL,
            code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
            state text NOT NULL CHECK (state IN ('sent', 'used', 'void')),
            failures integer NOT NULL DEFAULT 0,
            sent_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, code_id)
        )""")
    place(op.execute, "sms_code", "consumer")
    op.execute("""
        CREATE TABLE phone_message (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            message_id uuid NOT NULL,
            text_zh text NOT NULL,
            text_en text NOT NULL,
            sent_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, message_id)
        )""")
    place(op.execute, "phone_message", "consumer", append_only=True)
    op.execute("CREATE INDEX phone_message_by_time ON phone_message (sent_at)")
    op.execute("""
        CREATE TABLE bound_card (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            card_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ('awaiting_code', 'bound', 'unbound', 'lapsed')),
            fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
            bank text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('debit', 'credit')),
            masked text NOT NULL CHECK (masked ~ '^[*]{4} [0-9]{4}$'),
            code_id uuid,
            asked_at timestamptz NOT NULL,
            bound_at timestamptz,
            PRIMARY KEY (bucket, consumer_id, card_id),
            FOREIGN KEY (bucket, consumer_id) REFERENCES consumer,
            FOREIGN KEY (bucket, consumer_id, code_id) REFERENCES sms_code
        )""")
    place(op.execute, "bound_card", "consumer")
    op.execute("""
        CREATE UNIQUE INDEX bound_card_once ON bound_card (bucket, consumer_id, fingerprint)
        WHERE state = 'bound'""")


def _sessions() -> None:
    op.execute("""
        CREATE TABLE consumer_session (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
            device text NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            revoked_at timestamptz,
            PRIMARY KEY (bucket, consumer_id, token_hash)
        )""")
    place(op.execute, "consumer_session", "consumer")


def _directory() -> None:
    op.execute("""
        CREATE TABLE consumer_directory (
            value_hash bytea PRIMARY KEY CHECK (length(value_hash) = 32),
            kind text NOT NULL CHECK (kind IN ('sign_in_name', 'phone', 'person', 'credit_line')),
            consumer_id uuid NOT NULL,
            claimed_at timestamptz NOT NULL
        )""")
    place(op.execute, "consumer_directory", "directory", by="value_hash")
    op.execute("""
        CREATE TABLE sign_in_throttle (
            value_hash bytea PRIMARY KEY CHECK (length(value_hash) = 32),
            failures integer NOT NULL,
            window_from_at timestamptz NOT NULL,
            blocked_until_at timestamptz
        )""")
    place(op.execute, "sign_in_throttle", "directory", by="value_hash")


def downgrade() -> None:
    for table in (
        "sign_in_throttle", "consumer_directory", "consumer_session", "bound_card", "phone_message", "sms_code",
        "consumer_person", "consumer_history", "consumer",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
