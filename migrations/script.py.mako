"""${message}

Why: …
"""

from alembic import op

from fenqi.database.placement import place

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """One operation per ALTER; `place` after each CREATE TABLE. Locks are waited for 5 s (`migrate.connect`)."""
