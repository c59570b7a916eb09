"""Questions asked in words: what was understood, whether it helped, and which of them wait for a person."""

from alembic import op

from fenqi.database.placement import place

revision = "0018_question"
down_revision = "0017_application"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row a question, by its id: many are asked by nobody known."""
    op.execute("""
        CREATE TABLE question (
            question_id uuid PRIMARY KEY,
            asked_at timestamptz NOT NULL,
            text text NOT NULL CHECK (length(text) BETWEEN 1 AND 300),
            locale text NOT NULL,
            audience text NOT NULL CHECK (audience IN ('buyer', 'merchant', 'support', 'risk')),
            outcome text NOT NULL CHECK (outcome IN ('answered', 'choose', 'person')),
            topic text,
            guesses json NOT NULL,
            consumer_id uuid,
            order_id uuid,
            codes text[] NOT NULL DEFAULT '{}',
            helped boolean,
            waits_from_at timestamptz,
            taken_at timestamptz,
            taken_by text CHECK (taken_by <> ''),
            CHECK ((taken_at IS NULL) = (taken_by IS NULL)),
            CHECK (taken_at IS NULL OR waits_from_at IS NOT NULL))""")
    op.execute("CREATE INDEX question_waiting ON question (waits_from_at) WHERE taken_at IS NULL")
    op.execute("CREATE INDEX question_asked ON question (asked_at)")
    place(op.execute, "question", "directory", by="question_id")


def downgrade() -> None:
    """Nothing of it is needed elsewhere."""
    op.execute("DROP TABLE question")
