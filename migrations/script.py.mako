"""${message}

Why: …
"""

from alembic import op

from fenqi.database.placement import place

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """One operation per ALTER; `place` after each CREATE TABLE."""
    op.execute("SET LOCAL lock_timeout = '5s'")
