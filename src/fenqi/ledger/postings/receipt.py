"""A receipt: a channel took money that no order can take (paid late, paid twice, another amount than was asked)."""

from __future__ import annotations

from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Receipt, at_channels, owed_back

KIND = "receipt"


def receipt(taken: Receipt) -> tuple[Entry, ...]:
    """It is owed back to the buyer at once; a `channel_refund` or `refund_diverted` ends it."""
    return (*at_channels([taken], +1), *owed_back([taken], -1))
