"""How Alembic runs here: online only, as the owner, each migration in a transaction of its own.

The URL comes from `fenqi.database.migrate.upgrade`, or on Alembic's command line from FENQI_DATABASE_OWNER_URL.
"""

import os

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from fenqi.database import migrate

url = context.config.attributes.get("owner_url") or os.environ["FENQI_DATABASE_OWNER_URL"]
engine = create_engine("postgresql+psycopg://", creator=lambda: migrate.connect(url), poolclass=NullPool)

with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
