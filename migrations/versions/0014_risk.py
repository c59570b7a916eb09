"""The risk database: lists, counters, links, exposures and outcomes."""

revision = "0014_risk"
down_revision = "0013_policy"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
