"""Policies in review, in shadow and on a share of the traffic, with their tables."""

revision = "0013_policy"
down_revision = "0012_jeepay"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
