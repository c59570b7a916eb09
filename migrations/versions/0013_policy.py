"""Policies in review, in shadow and on a share of the traffic, with their tables."""

from alembic import op

from fenqi.database.placement import place

revision = "0013_policy"
down_revision = "0012_jeepay"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _lives()
    _saves()
    _shadows()
    _buyers()


def _buyers() -> None:
    """What policy asks about a buyer: the groups that they have shown to belong to, when they were last overdue, and
    of a line taken over from another system when its first loan was."""
    op.execute("""
        ALTER TABLE consumer
            ADD COLUMN segments text[] NOT NULL DEFAULT '{}' CHECK (array_position(segments, NULL) IS NULL)""")
    op.execute("ALTER TABLE loan ADD COLUMN late_on date")
    op.execute("ALTER TABLE credit_line ADD COLUMN first_loan_on date")


def _lives() -> None:
    """More states on a version's way, and the share of the consumers that a canary decides for."""
    op.execute("""
        ALTER TABLE policy_version
            DROP CONSTRAINT policy_version_state_check,
            DROP CONSTRAINT policy_version_check1,
            DROP CONSTRAINT policy_version_check3,
            ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0),
            ADD COLUMN based_on text NOT NULL DEFAULT '',
            ADD COLUMN share_ppm integer CHECK (share_ppm BETWEEN 1 AND 1000000),
            ADD COLUMN share_from_at timestamptz,
            ADD COLUMN share_until_at timestamptz CHECK (share_until_at > share_from_at),
            ADD COLUMN ended_at timestamptz""")
    op.execute("UPDATE policy_version SET ended_at = effective_at WHERE state = 'withdrawn'")
    op.execute("""
        ALTER TABLE policy_version
            ADD CONSTRAINT policy_version_state CHECK (state IN
                ('draft', 'submitted', 'rejected', 'canary', 'published', 'rolled_back', 'withdrawn')),
            ADD CONSTRAINT policy_version_approved CHECK (
                state = 'withdrawn' OR (published_at IS NULL) = (state IN ('draft', 'submitted', 'rejected'))),
            ADD CONSTRAINT policy_version_effective CHECK (
                CASE WHEN state IN ('published', 'rolled_back') THEN effective_at IS NOT NULL
                     ELSE state = 'withdrawn' OR effective_at IS NULL END),
            ADD CONSTRAINT policy_version_share CHECK (
                (share_ppm IS NULL) = (share_from_at IS NULL) AND (share_ppm IS NULL) = (share_until_at IS NULL)
                AND (state <> 'canary' OR share_ppm IS NOT NULL)),
            ADD CONSTRAINT policy_version_ended CHECK (
                (ended_at IS NULL) = (state NOT IN ('rolled_back', 'withdrawn')))""")
    op.execute("CREATE UNIQUE INDEX policy_one_canary ON policy_version (state) WHERE state = 'canary'")
    op.execute("ALTER TABLE policy_history DROP CONSTRAINT policy_history_verb_check")
    op.execute("""
        ALTER TABLE policy_history ADD CONSTRAINT policy_history_verb CHECK (verb IN
            ('draft', 'save', 'submit', 'recall', 'note', 'reject', 'publish', 'withdraw', 'roll_back', 'restore',
             'begin_canary', 'promote', 'end_canary', 'begin_shadow', 'end_shadow'))""")


def _saves() -> None:
    """Every save of a draft stays."""
    op.execute("""
        CREATE TABLE policy_save (
            policy_id uuid NOT NULL REFERENCES policy_version,
            revision integer NOT NULL CHECK (revision > 0),
            document jsonb NOT NULL,
            document_hash bytea NOT NULL CHECK (length(document_hash) = 32),
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (policy_id, revision)
        )""")
    place(op.execute, "policy_save", "reference", append_only=True)
    op.execute("""
        INSERT INTO policy_save (policy_id, revision, document, document_hash, actor, why, at)
        SELECT policy_id, 1, document, document_hash, maker, 'the first draft', made_at FROM policy_version""")


def _shadows() -> None:
    """What another version would have decided, counted by day, with a sample of the decisions that differ."""
    op.execute("""
        CREATE TABLE policy_shadow (
            shadow_id uuid PRIMARY KEY,
            policy_id uuid NOT NULL,
            revision integer NOT NULL,
            actor text NOT NULL CHECK (actor <> ''),
            why text NOT NULL CHECK (why <> ''),
            begun_at timestamptz NOT NULL,
            until_at timestamptz NOT NULL CHECK (until_at > begun_at),
            ended_at timestamptz,
            seen_at timestamptz NOT NULL,
            seen_id uuid NOT NULL,
            decisions bigint NOT NULL DEFAULT 0,
            differing bigint NOT NULL DEFAULT 0
        )""")
    place(op.execute, "policy_shadow", "local")
    op.execute("""
        CREATE TABLE policy_shadow_day (
            shadow_id uuid NOT NULL REFERENCES policy_shadow,
            day_on date NOT NULL,
            method text NOT NULL,
            scene text NOT NULL,
            change text NOT NULL CHECK (change IN ('same', 'opened', 'closed', 'otherwise')),
            decisions bigint NOT NULL CHECK (decisions > 0),
            payable_minor bigint NOT NULL CHECK (payable_minor >= 0),
            PRIMARY KEY (shadow_id, day_on, method, scene, change)
        )""")
    place(op.execute, "policy_shadow_day", "local")
    op.execute("""
        CREATE TABLE policy_shadow_code (
            shadow_id uuid NOT NULL REFERENCES policy_shadow,
            day_on date NOT NULL,
            method text NOT NULL,
            code text NOT NULL,
            gained bigint NOT NULL,
            lost bigint NOT NULL,
            PRIMARY KEY (shadow_id, day_on, method, code)
        )""")
    place(op.execute, "policy_shadow_code", "local")
    op.execute("""
        CREATE TABLE policy_shadow_sample (
            shadow_id uuid NOT NULL REFERENCES policy_shadow,
            rank bigint NOT NULL,
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            decision_id uuid NOT NULL,
            decided_at timestamptz NOT NULL,
            differences jsonb NOT NULL,
            PRIMARY KEY (shadow_id, rank, decision_id)
        )""")
    place(op.execute, "policy_shadow_sample", "local")
    op.execute("""
        CREATE INDEX decision_in_time ON decision USING brin (decided_at)
            WITH (pages_per_range = 16, autosummarize = on)""")


def downgrade() -> None:
    op.execute("ALTER TABLE consumer DROP COLUMN segments")
    op.execute("ALTER TABLE loan DROP COLUMN late_on")
    op.execute("ALTER TABLE credit_line DROP COLUMN first_loan_on")
    op.execute("DROP INDEX decision_in_time")
    for table in (
        "policy_shadow_sample", "policy_shadow_code", "policy_shadow_day", "policy_shadow", "policy_save",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP INDEX policy_one_canary")
    op.execute("ALTER TABLE policy_history DROP CONSTRAINT policy_history_verb")
    op.execute("""
        ALTER TABLE policy_history ADD CONSTRAINT policy_history_verb_check
            CHECK (verb IN ('draft', 'publish', 'withdraw')) NOT VALID""")
    op.execute("""
        ALTER TABLE policy_version
            DROP COLUMN revision, DROP COLUMN based_on, DROP COLUMN share_ppm, DROP COLUMN share_from_at,
            DROP COLUMN share_until_at, DROP COLUMN ended_at,
            DROP CONSTRAINT policy_version_state,
            DROP CONSTRAINT policy_version_approved,
            DROP CONSTRAINT policy_version_effective,
            ADD CONSTRAINT policy_version_state_check
                CHECK (state IN ('draft', 'published', 'withdrawn')) NOT VALID,
            ADD CONSTRAINT policy_version_check1 CHECK ((state = 'draft') = (published_at IS NULL)) NOT VALID,
            ADD CONSTRAINT policy_version_check3 CHECK ((effective_at IS NULL) = (published_at IS NULL)) NOT VALID""")
