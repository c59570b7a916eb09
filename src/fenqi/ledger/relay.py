"""The relay's part of the ledger: carries posted journals over to the parties' side, as mirror journals.

A consumer's journal balances on clearing accounts; its mirror takes them back and books what they stand for:
what merchants and channels are owed or owe, and what one book owes another (docs/reference/ledger.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fenqi.database import packing
from fenqi.database.outbox import Event
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of

TOPIC = "ledger.posted"
"""The topic of the event that the door writes for each journal with clearing entries; the event id is the journal's."""

_HOUSE = 0x00000000_0000_8000_8000_000000000000
_CALL = "SELECT ledger_mirror(%b, %b, %b, %b)"


def house_id(bucket: int) -> UUID:
    """The party that keeps what books owe one another, for the consumers of one bucket: no single row is hot."""
    return UUID(int=_HOUSE | bucket)


async def mirror(tx: Tx, events: Sequence[Event]) -> None:
    """The handler of `TOPIC`: post the mirror journals of these events; what is there already is left as it is."""
    buckets = [bucket_of(event.consumer_id) for event in events]
    parameters = [
        packing.pack_int2(buckets),
        packing.pack_uuid([event.consumer_id for event in events]),
        packing.pack_uuid([event.event_id for event in events]),
        packing.pack_uuid([house_id(bucket) for bucket in buckets]),
    ]
    await tx.execute(_CALL, parameters)
