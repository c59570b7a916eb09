"""A channel refund that came back: the buyer's account or card did not take it after all, the channel has it again."""

from __future__ import annotations

from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Receipt, at_channels, owed_back

KIND = "refund_bounced"


def refund_bounced(given: Receipt) -> tuple[Entry, ...]:
    """The `channel_refund` the other way round: it is at the channel and owed to the buyer as before."""
    return (*at_channels([given], +1), *owed_back([given], -1))
