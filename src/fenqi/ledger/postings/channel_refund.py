"""A channel refund carried out: the channel has given back what was owed to the buyer."""

from __future__ import annotations

from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Receipt, at_channels, owed_back

KIND = "channel_refund"


def channel_refund(given: Receipt) -> tuple[Entry, ...]:
    """The buyer is owed less, and so much less is at the channel."""
    return (*owed_back([given], +1), *at_channels([given], -1))
