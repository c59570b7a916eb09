"""Directory claims: a public reference (token, e-mail, trade number) is claimed for its owner before the owner uses it.

Claim in a transaction of its own, then do the owner's transaction, then `confirm`; a claim that was never confirmed
is looked into by the sweep, which asks its owner before it gives the value free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of


@dataclass(frozen=True, slots=True)
class Claim:
    """Whom a value of a kind (`email`, `card_token`, `payment_token`…) belongs to."""

    kind: str
    value: str
    owner_id: UUID


async def claim(tx: Tx, kind: str, value: str, owner_id: UUID, at: datetime) -> UUID:
    """Claim the value; its owner, which is `owner_id` unless somebody else was first."""
    rows = await tx.execute(
        "INSERT INTO directory_claim (value, kind, owner_bucket, owner_id, claimed_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING owner_id",
        [value, kind, bucket_of(owner_id), owner_id, at],
    )
    if await rows.fetchone() is not None:
        return owner_id
    owner = await find(tx, kind, value)
    assert owner is not None, f"the claim on {kind} that was in the way is gone"
    return owner


async def find(tx: Tx, kind: str, value: str) -> UUID | None:
    """The owner of the value, or None."""
    rows = await tx.execute("SELECT owner_id FROM directory_claim WHERE value = %s AND kind = %s", [value, kind])
    row = await rows.fetchone()
    return row[0] if row else None


async def confirm(tx: Tx, kind: str, value: str, owner_id: UUID, at: datetime) -> None:
    """Say that the owner's transaction is through."""
    done = await tx.execute(
        "UPDATE directory_claim SET confirmed_at = coalesce(confirmed_at, %s)"
        " WHERE value = %s AND kind = %s AND owner_id = %s",
        [at, value, kind, owner_id],
    )
    assert done.rowcount == 1, f"a claim on {kind} to be confirmed isn't there"


async def release(tx: Tx, kind: str, value: str, owner_id: UUID) -> None:
    """Give the value free."""
    await tx.execute(
        "DELETE FROM directory_claim WHERE value = %s AND kind = %s AND owner_id = %s", [value, kind, owner_id]
    )


async def unconfirmed(tx: Tx, kind: str, before: datetime, limit: int = 1000) -> Sequence[Claim]:
    """Claims from before the instant that nobody confirmed, for the sweep to confirm or release."""
    rows = await tx.execute(
        "SELECT kind, value, owner_id FROM directory_claim WHERE kind = %s AND confirmed_at IS NULL AND claimed_at < %s"
        " ORDER BY claimed_at LIMIT %s",
        [kind, before, limit],
    )
    return [Claim(*row) for row in await rows.fetchall()]
