"""The ledger: journals and entries of consumers and parties, limits with their holds, and the batch door in SQL.

Why functions: a batch of payments costs one round trip and a fixed number of statements, whatever its size; why
SECURITY DEFINER: journals and entries have no other way in, the application's role may only read them.
"""

from pathlib import Path

from alembic import op

from fenqi.database import roles
from fenqi.database.placement import place

revision = "0002_ledger"
down_revision = "0001_database"
branch_labels = None
depends_on = None

_SQL = Path(__file__).with_name("0002_ledger")
_WRITTEN_BY_DOORS = {"journal": "consumer", "party_journal": "party", "party_entry": "party"}
_DOORS = ("ledger_post_batch", "ledger_mirror")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _run("tables.sql")
    for table, kind in _WRITTEN_BY_DOORS.items():
        place(op.execute, table, kind, append_only=True)
        op.execute(f"REVOKE INSERT ON {table} FROM {roles.APP}")
    op.execute(f"GRANT SELECT ON entry TO {roles.APP}")
    place(op.execute, "limit_account", "consumer")
    place(op.execute, "limit_hold", "consumer")
    place(op.execute, "limit_change", "consumer", append_only=True)
    _run("post_batch.sql")
    _run("mirror.sql")
    for door in _DOORS:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {door} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {door} TO {roles.APP}")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((_SQL / name).read_text().replace("%", "%%"))
