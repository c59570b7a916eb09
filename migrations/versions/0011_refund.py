"""Refunds through channels: what each refund owes back through which passage, and whose subsidies went back with it."""

from alembic import op

revision = "0011_refund"
down_revision = "0010_webhook"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Refunds that are there already gave nothing back through a channel."""
    op.execute("""
        ALTER TABLE refund
            ADD COLUMN to_channel_minor bigint NOT NULL DEFAULT 0 CHECK (to_channel_minor >= 0),
            ADD COLUMN to_channels text NOT NULL DEFAULT '[]',
            ADD COLUMN subsidies text NOT NULL DEFAULT '{}',
            ADD CONSTRAINT refund_goes_somewhere
                CHECK (amount_minor = to_limit_minor + to_money_account_minor + to_channel_minor)""")


def downgrade() -> None:
    """Take the columns away again."""
    op.execute("""
        ALTER TABLE refund DROP CONSTRAINT refund_goes_somewhere,
            DROP COLUMN to_channel_minor, DROP COLUMN to_channels, DROP COLUMN subsidies""")
