"""SQL of limits: what each is for and until when. The amounts in use lie in the ledger's limit accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fenqi.credit.model import CreditLimit, LimitKind
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of

_COLUMNS = CreditLimit.__struct_fields__
_LISTED = ", ".join(_COLUMNS)
_CHANGED = [name for name in _COLUMNS if name not in ("bucket", "consumer_id", "path")]
_UPSERT = (
    f"INSERT INTO credit_limit ({_LISTED}) VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
    " ON CONFLICT (bucket, consumer_id, path) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGED)
)


async def select_limits(tx: Tx, consumer_id: UUID) -> dict[str, CreditLimit]:
    """A consumer's limits by path; who changes them holds the line's lock."""
    cursor = await tx.execute(
        f"SELECT {_LISTED} FROM credit_limit WHERE bucket = %s AND consumer_id = %s ORDER BY path",
        (bucket_of(consumer_id), consumer_id),
    )
    limits = [_limit(row) for row in await cursor.fetchall()]
    return {limit.path: limit for limit in limits}


def _limit(row: Sequence[Any]) -> CreditLimit:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["kind"] = LimitKind(values["kind"])
    values["scenes"], values["categories"] = tuple(values["scenes"]), tuple(values["categories"])
    return CreditLimit(**values)


async def upsert_limit(tx: Tx, limit: CreditLimit) -> None:
    """Write a limit as it is from now on."""
    values = [getattr(limit, name) for name in _COLUMNS]
    await tx.execute(
        _UPSERT,
        [list(one) if isinstance(one, tuple) else str(one) if isinstance(one, LimitKind) else one for one in values],
    )


async def close_expired(
    tx: Tx, first_bucket: int, last_bucket: int, today_on: date, most: int
) -> list[tuple[UUID, str]]:
    """Mark up to `most` limits of the bucket range as closed whose last day has passed; whose and which they are."""
    cursor = await tx.execute(
        "UPDATE credit_limit AS l SET closed_on = %(today)s FROM ("
        " SELECT bucket, consumer_id, path FROM credit_limit"
        " WHERE bucket BETWEEN %(first)s AND %(last)s AND expires_on < %(today)s AND closed_on IS NULL"
        " ORDER BY bucket, consumer_id, path LIMIT %(most)s FOR UPDATE SKIP LOCKED) AS due"
        " WHERE l.bucket = due.bucket AND l.consumer_id = due.consumer_id AND l.path = due.path"
        " RETURNING l.consumer_id, l.path",
        {"today": today_on, "first": first_bucket, "last": last_bucket, "most": most},
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]
