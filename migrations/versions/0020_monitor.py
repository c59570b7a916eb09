"""The monitor: a report for each run, thresholds as data, and alarms with owners and states."""

from alembic import op

from fenqi.database.placement import place

revision = "0020_monitor"
down_revision = "0019_backtest"
branch_labels = None
depends_on = None

_MEASURES = """'psi', 'ks', 'approval_drop', 'reason_rise', 'first_default', 'bad_30', 'exposure', 'override',
               'rule_rise'"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE monitor_report (
            report_id uuid PRIMARY KEY,
            day_on date NOT NULL,
            made_by text NOT NULL CHECK (made_by <> ''),
            why text NOT NULL CHECK (why <> ''),
            made_at timestamptz NOT NULL,
            report json NOT NULL
        )""")
    place(op.execute, "monitor_report", "local", append_only=True)
    op.execute("CREATE INDEX monitor_report_by_time ON monitor_report (made_at)")
    op.execute(f"""
        CREATE TABLE monitor_threshold (
            measure text NOT NULL CHECK (measure IN ({_MEASURES})),
            version integer NOT NULL CHECK (version > 0),
            warn_ppm bigint NOT NULL CHECK (warn_ppm > 0),
            act_ppm bigint NOT NULL CHECK (act_ppm >= warn_ppm),
            least_count integer NOT NULL CHECK (least_count > 0),
            owner text NOT NULL CHECK (owner IN ('support', 'risk', 'accountant', 'operator')),
            source text NOT NULL,
            made_by text NOT NULL CHECK (made_by <> ''),
            why text NOT NULL CHECK (why <> ''),
            made_at timestamptz NOT NULL,
            PRIMARY KEY (measure, version)
        )""")
    place(op.execute, "monitor_threshold", "reference", append_only=True)
    op.execute(f"""
        CREATE TABLE monitor_alarm (
            alarm_id uuid PRIMARY KEY,
            measure text NOT NULL CHECK (measure IN ({_MEASURES})),
            subject text NOT NULL,
            level text NOT NULL CHECK (level IN ('warn', 'act')),
            value_ppm bigint NOT NULL,
            threshold_ppm bigint NOT NULL,
            cases integer NOT NULL,
            owner text NOT NULL CHECK (owner IN ('support', 'risk', 'accountant', 'operator')),
            state text NOT NULL CHECK (state IN ('open', 'acknowledged', 'closed')),
            opened_at timestamptz NOT NULL,
            seen_at timestamptz NOT NULL,
            version integer NOT NULL CHECK (version > 0)
        )""")
    place(op.execute, "monitor_alarm", "local")
    op.execute("""
        CREATE UNIQUE INDEX monitor_alarm_standing ON monitor_alarm (measure, subject) WHERE state <> 'closed'""")
    op.execute("""
        CREATE TABLE monitor_alarm_move (
            alarm_id uuid NOT NULL REFERENCES monitor_alarm,
            version integer NOT NULL CHECK (version > 0),
            to_state text NOT NULL CHECK (to_state IN ('open', 'acknowledged', 'closed')),
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (alarm_id, version)
        )""")
    place(op.execute, "monitor_alarm_move", "local", append_only=True)


def downgrade() -> None:
    for table in ("monitor_alarm_move", "monitor_alarm", "monitor_threshold", "monitor_report"):
        op.execute(f"DROP TABLE {table}")
