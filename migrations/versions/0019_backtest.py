"""Back-tests: what was asked, how far it is, what came out. And decisions by day, for their export.

Decisions are written in the order of time, so an index of block ranges finds a day's at next to no cost.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0019_backtest"
down_revision = "0018_question"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE backtest (
            backtest_id uuid PRIMARY KEY,
            policy_number text NOT NULL,
            rule_id text NOT NULL,
            days smallint NOT NULL CHECK (days BETWEEN 1 AND 730),
            asked_by text NOT NULL CHECK (asked_by <> ''),
            why text NOT NULL CHECK (why <> ''),
            asked_at timestamptz NOT NULL,
            state text NOT NULL CHECK (state IN ('asked', 'running', 'done', 'failed')),
            tries smallint NOT NULL CHECK (tries >= 0),
            claimed_until_at timestamptz,
            percent smallint NOT NULL CHECK (percent BETWEEN 0 AND 100),
            row_count bigint NOT NULL CHECK (row_count >= 0),
            rows_a_second bigint NOT NULL CHECK (rows_a_second >= 0),
            ended_at timestamptz,
            refusal text NOT NULL,
            report json,
            CHECK ((policy_number = '') <> (rule_id = '')),
            CHECK ((state IN ('done', 'failed')) = (ended_at IS NOT NULL)),
            CHECK ((state = 'done') = (report IS NOT NULL)),
            CHECK ((state = 'running') = (claimed_until_at IS NOT NULL))
        )""")
    place(op.execute, "backtest", "local")
    op.execute("CREATE INDEX backtest_open ON backtest (asked_at) WHERE state IN ('asked', 'running')")


def downgrade() -> None:
    op.execute("DROP TABLE backtest")
