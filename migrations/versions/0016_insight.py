"""What happened at the cashier: steps that decisions don't tell, what was at stake in each checkout, the experiment.

`at_stake` is counted from decisions, payments and steps, and can be counted again from nothing.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0016_insight"
down_revision = "0015_case"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE cashier_step (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            consumer_id uuid NOT NULL,
            step_id uuid NOT NULL,
            intent_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('wanted', 'remedy_taken', 'remedy_done')),
            method text NOT NULL,
            plan text,
            actions text[] NOT NULL,
            to_intent_id uuid,
            at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, step_id)
        )""")
    place(op.execute, "cashier_step", "consumer", append_only=True)
    op.execute("CREATE INDEX cashier_step_by_intent ON cashier_step (bucket, consumer_id, intent_id)")
    op.execute("""
        CREATE TABLE at_stake (
            bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 255),
            consumer_id uuid NOT NULL,
            intent_id uuid NOT NULL,
            method text NOT NULL,
            way text NOT NULL CHECK (way IN ('one_sum', 'instalments')),
            order_id uuid NOT NULL,
            day_on date NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
            scene text NOT NULL,
            category text NOT NULL,
            merchant_id uuid NOT NULL,
            codes text[] NOT NULL CHECK (cardinality(codes) > 0),
            rules text[] NOT NULL,
            is_wanted boolean NOT NULL,
            shown text[] NOT NULL,
            taken text[] NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('open', 'recovered', 'diverted', 'left', 'lost')),
            arm text NOT NULL,
            PRIMARY KEY (bucket, consumer_id, intent_id, method, way)
        )""")
    place(op.execute, "at_stake", "consumer")
    op.execute("CREATE INDEX at_stake_by_day ON at_stake (day_on)")
    op.execute("CREATE INDEX at_stake_open ON at_stake (bucket, consumer_id, intent_id) WHERE outcome = 'open'")
    op.execute("""
        CREATE TABLE insight_mark (
            job text PRIMARY KEY,
            counted_until_at timestamptz NOT NULL
        )""")
    place(op.execute, "insight_mark", "local")
    op.execute("""
        CREATE TABLE cashier_experiment (
            name text PRIMARY KEY CHECK (name ~ '^[a-z0-9-]{1,40}$'),
            bare_ppm integer NOT NULL CHECK (bare_ppm BETWEEN 0 AND 500000),
            from_at timestamptz NOT NULL,
            until_at timestamptz NOT NULL CHECK (until_at > from_at),
            made_by text NOT NULL CHECK (made_by <> ''),
            why text NOT NULL CHECK (why <> ''),
            made_at timestamptz NOT NULL
        )""")
    place(op.execute, "cashier_experiment", "reference", append_only=True)


def downgrade() -> None:
    for table in ("cashier_experiment", "insight_mark", "at_stake", "cashier_step"):
        op.execute(f"DROP TABLE {table}")
