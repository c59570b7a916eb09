"""A withdrawal carried out: the channel has sent the money to the consumer's card."""

from __future__ import annotations

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Receipt, at_channels

KIND = "payout_paid"


def payout_paid(sent: Receipt) -> tuple[Entry, ...]:
    """The consumer is owed less, and so much less is at the channel."""
    return (Entry(chart.PAYMENT_COMPANY, chart.PAYOUT_PAYABLE, sent.amount_minor), *at_channels([sent], -1))
