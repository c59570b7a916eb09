"""The walk of an order: every journal and entry of both sides that carries its id, from the buyer to the merchants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.ledger.model import Entry, Outcome
from fenqi.ledger.relay import house_id


class WalkedJournal(msgspec.Struct, frozen=True):
    """A journal of the consumer or of a party; a refused one has its outcome and no entries."""

    side: Literal["consumer", "party"]
    owner_id: UUID
    journal_id: UUID
    kind: str
    outcome: Outcome
    business_on: date
    posted_at: datetime
    entries: tuple[Entry, ...]


async def walk_order(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[WalkedJournal]:
    """The order's journals in time, each followed by its mirrors; mirrors may lag behind by the relay."""
    rows = await tx.execute(
        "SELECT j.journal_id, j.kind, j.outcome, j.business_on, j.posted_at, e.book, e.path, e.amount_minor, e.party_id"
        " FROM journal j LEFT JOIN entry e USING (bucket, consumer_id, journal_id)"
        " WHERE j.bucket = %s AND j.consumer_id = %s AND j.reference = %s"
        " ORDER BY j.posted_at, j.journal_id, e.line",
        [bucket_of(consumer_id), consumer_id, order_id],
    )
    own = _grouped("consumer", [(consumer_id, *row) for row in await rows.fetchall()])
    mirrors = await _mirrors(tx, consumer_id, own)
    return [step for journal in own for step in (journal, *mirrors.get(journal.journal_id, ()))]


async def _mirrors(tx: Tx, consumer_id: UUID, own: Sequence[WalkedJournal]) -> dict[UUID, list[WalkedJournal]]:
    house = house_id(bucket_of(consumer_id))
    keys = {(e.party_id or house, journal.journal_id) for journal in own for e in journal.entries}
    parties = [party for party, _ in keys]
    rows = await tx.execute(
        "SELECT j.party_id, j.journal_id, j.kind, 'posted', j.business_on, j.posted_at,"
        " e.book, e.path, e.amount_minor, NULL::uuid"
        " FROM unnest(%s::smallint[], %s::uuid[], %s::uuid[]) AS k (bucket, party_id, journal_id)"
        " JOIN party_journal j USING (bucket, party_id, journal_id)"
        " JOIN party_entry e USING (bucket, party_id, journal_id)"
        " ORDER BY j.party_id, j.journal_id, e.line",
        [[bucket_of(party) for party in parties], parties, [journal_id for _, journal_id in keys]],
    )
    found: dict[UUID, list[WalkedJournal]] = {}
    for journal in _grouped("party", await rows.fetchall()):
        found.setdefault(journal.journal_id, []).append(journal)
    return found


def _grouped(side: Literal["consumer", "party"], rows: Sequence[Sequence[Any]]) -> list[WalkedJournal]:
    """Journals from rows of (owner, journal, kind, outcome, business_on, posted_at, entry's columns or nulls)."""
    journals: dict[tuple[UUID, UUID], list[Entry]] = {}
    heads: dict[tuple[UUID, UUID], Sequence[Any]] = {}
    for row in rows:
        heads.setdefault((row[0], row[1]), row)
        entries = journals.setdefault((row[0], row[1]), [])
        if row[6] is not None:
            entries.append(Entry(*row[6:10]))
    return [
        WalkedJournal(side, owner, journal_id, head[2], Outcome(head[3]), head[4], head[5], tuple(entries))
        for ((owner, journal_id), entries), head in zip(journals.items(), heads.values(), strict=True)
    ]
