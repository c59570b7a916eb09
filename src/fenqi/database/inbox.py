"""The inbox: a receiver notes each event it took, in the transaction of what it did, and drops repeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of


async def accept(tx: Tx, deliveries: Sequence[tuple[UUID, UUID]], at: datetime) -> set[tuple[UUID, UUID]]:
    """Note `(party_id, event_id)` pairs; those that are new, to be worked on in this same transaction."""
    ordered = sorted(set(deliveries), key=lambda pair: (bucket_of(pair[0]), pair))
    rows = await tx.execute(
        "INSERT INTO inbox (bucket, party_id, event_id, received_at)"
        " SELECT bucket, party_id, event_id, %b FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[])"
        " AS new(bucket, party_id, event_id) ON CONFLICT DO NOTHING RETURNING party_id, event_id",
        [
            at,
            [bucket_of(party) for party, _ in ordered],
            [party for party, _ in ordered],
            [event for _, event in ordered],
        ],
    )
    return {(party, event) for party, event in await rows.fetchall()}
