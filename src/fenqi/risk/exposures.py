"""Exposure ledgers: what each programme has lent out, by loan and in all. Exact once the relay has nothing left.

A programme is a party: its rows lie in its own bucket, its sum in slots by where the borrowers are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID, uuid5

from fenqi.database.pool import Tx
from fenqi.risk.store import exposures as store

_NAMES = UUID("a3b1d7c2-0f2e-4b6e-8a71-2d54c9e0f6b4")


def programme_id(programme: str) -> UUID:
    """The party that a programme is."""
    return uuid5(_NAMES, programme)


async def used(tx: Tx, programmes: Iterable[str]) -> dict[str, int]:
    """What each of these programmes has out, in fen; 0 where nothing was ever lent."""
    names = {programme_id(name): name for name in programmes}
    found = await store.used(tx, list(names)) if names else {}
    return {name: found.get(one, 0) for one, name in names.items()}


async def lend(tx: Tx, consumer_id: UUID, loan_id: UUID, programmes: Sequence[str]) -> None:
    """Keep under which programmes a loan was made; a repeat changes nothing."""
    if programmes:
        await store.insert_programmes(tx, consumer_id, loan_id, programmes)


async def settle(tx: Tx, consumer_ids: Sequence[UUID], outstanding: Mapping[tuple[UUID, UUID], int]) -> None:
    """Bring the ledgers up to what the loans of these consumers have outstanding now: (consumer, loan) → fen.

    It says what is, not what has changed: whoever comes last is right, and a repeat changes nothing.
    """
    rows = await store.programmes_of(tx, consumer_ids)
    for consumer_id, loan_id, programme in sorted(rows, key=lambda row: (programme_id(row[2]), row[1])):
        left_minor = outstanding.get((consumer_id, loan_id), 0)
        await store.set_used(tx, programme_id(programme), programme, consumer_id, loan_id, left_minor)


async def has_programmes(tx: Tx, consumer_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the consumers that have a loan under some programme."""
    return {row[0] for row in await store.programmes_of(tx, consumer_ids)}


async def ledgers(tx: Tx) -> dict[str, int]:
    """Every programme with what it has out: a report."""
    return await store.ledgers(tx)


async def loans(tx: Tx, programme: str) -> dict[tuple[UUID, UUID], int]:
    """(consumer, loan) → what it has out under a programme: a report."""
    return await store.loans(tx, programme_id(programme))
