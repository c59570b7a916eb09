"""A refund takes another way: the channel can't give back what is owed, so the buyer gets it in the money account."""

from __future__ import annotations

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Receipt, owed_back

KIND = "refund_diverted"


def refund_diverted(owed: Receipt) -> tuple[Entry, ...]:
    """What was owed back through the passage is the consumer's own money now; the channel keeps owing it to us."""
    return (*owed_back([owed], +1), Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, -owed.amount_minor))
