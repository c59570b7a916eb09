"""The epoch of reference data: one small row a kind, raised in the transaction of any change to it.

A process caches merchants, catalogue, policies and channels; a paying batch reads the epoch and knows what is stale.
"""

from __future__ import annotations

from typing import Literal

from fenqi.database.pool import Tx

Kind = Literal["merchant", "catalogue", "policy", "channel", "risk"]


async def raise_epoch(tx: Tx, kind: Kind) -> None:
    """Say that reference data of `kind` changes in this transaction; serialises such changes with one another."""
    await tx.execute("UPDATE reference_epoch SET epoch = epoch + 1 WHERE kind = %s", [kind])


async def read_epochs(tx: Tx) -> dict[str, int]:
    """The counter of each kind; their sum is `read_epoch`."""
    return dict(await (await tx.execute("SELECT kind, epoch FROM reference_epoch")).fetchall())


async def read_epoch(tx: Tx) -> int:
    """One number that differs whenever any reference data has changed: the sum of the kinds' counters."""
    row = await (await tx.execute("SELECT sum(epoch)::bigint FROM reference_epoch")).fetchone()
    assert row is not None
    return int(row[0])
