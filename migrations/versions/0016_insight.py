"""What happened at the cashier, and the experiment on it."""

revision = "0016_insight"
down_revision = "0015_case"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
