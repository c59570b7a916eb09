"""What the policy's tables and the scorecard said of an application, kept with it so that it replays."""

from alembic import op

revision = "0017_application"
down_revision = "0016_insight"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE credit_application ADD COLUMN assessed json")


def downgrade() -> None:
    op.execute("ALTER TABLE credit_application DROP COLUMN assessed")
