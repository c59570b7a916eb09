"""The database floor's own tables: idempotency, outbox, inbox, directory, job ranges and the demo's clock.

Why: each verb needs them in its transaction, so they are there before any room's tables.
"""

from alembic import op

from fenqi.database import roles
from fenqi.database.placement import place

revision = "0001_database"
down_revision = None


def upgrade() -> None:
    op.execute(f"GRANT SELECT ON alembic_version TO {roles.APP}")
    _idempotency()
    _outbox_and_inbox()
    _directory()
    _job_ranges()
    _clock()


def _idempotency() -> None:
    op.execute("""
        CREATE TABLE idempotency (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            consumer_id uuid NOT NULL,
            key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
            verb text NOT NULL,
            input_hash bytea NOT NULL CHECK (octet_length(input_hash) = 32),
            claimed_at timestamptz NOT NULL,
            status smallint,
            answer bytea,
            answered_at timestamptz,
            CHECK (num_nulls(status, answer, answered_at) IN (0, 3)),
            PRIMARY KEY (bucket, consumer_id, key)
        )
    """)
    place(op.execute, "idempotency", "consumer")


def _outbox_and_inbox() -> None:
    op.execute("""
        CREATE TABLE outbox (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            consumer_id uuid NOT NULL,
            event_id uuid NOT NULL,
            topic text NOT NULL,
            payload bytea NOT NULL,
            written_at timestamptz NOT NULL,
            attempts smallint NOT NULL DEFAULT 0,
            not_before timestamptz,
            error text,
            CHECK ((not_before IS NULL) = (attempts = 0)),
            PRIMARY KEY (bucket, consumer_id, event_id)
        )
    """)
    place(op.execute, "outbox", "consumer")
    op.execute("""
        CREATE TABLE inbox (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            party_id uuid NOT NULL,
            event_id uuid NOT NULL,
            received_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, party_id, event_id)
        )
    """)
    place(op.execute, "inbox", "party")


def _directory() -> None:
    op.execute("""
        CREATE TABLE directory_claim (
            value text NOT NULL CHECK (length(value) BETWEEN 1 AND 255),
            kind text NOT NULL,
            owner_bucket smallint NOT NULL CHECK (owner_bucket BETWEEN 0 AND 255),
            owner_id uuid NOT NULL,
            claimed_at timestamptz NOT NULL,
            confirmed_at timestamptz,
            PRIMARY KEY (value, kind)
        )
    """)
    place(op.execute, "directory_claim", "directory", by="value")


def _job_ranges() -> None:
    op.execute("""
        CREATE TABLE job_range (
            job text NOT NULL,
            bucket_from smallint NOT NULL CHECK (bucket_from BETWEEN 0 AND 255),
            bucket_to smallint NOT NULL CHECK (bucket_to BETWEEN bucket_from AND 255),
            worked_at timestamptz NOT NULL,
            resume_after jsonb,
            PRIMARY KEY (job, bucket_from)
        )
    """)
    place(op.execute, "job_range", "local")


def _clock() -> None:
    op.execute("""
        CREATE TABLE clock_offset (
            singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
            ahead interval NOT NULL
        )
    """)
    place(op.execute, "clock_offset", "reference")
