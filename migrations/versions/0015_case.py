"""Cases: what people decide, with their queue, evidence and clock."""

revision = "0015_case"
down_revision = "0014_risk"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
