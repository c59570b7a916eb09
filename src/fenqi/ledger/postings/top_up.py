"""Money in through a channel: the consumer pays into the money account with a bank card."""

from __future__ import annotations

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Receipt, at_channels

KIND = "top_up"


def top_up(taken: Receipt) -> tuple[Entry, ...]:
    """The channel has taken it and owes it to the payment company, which owes it to the consumer."""
    return (*at_channels([taken], +1), Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, -taken.amount_minor))
