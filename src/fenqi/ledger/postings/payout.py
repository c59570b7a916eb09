"""A withdrawal through a channel is asked for: money leaves the money account and is on its way to the card."""

from __future__ import annotations

from fenqi.ledger import chart
from fenqi.ledger.model import Entry

KIND = "payout"


def payout(amount_minor: int) -> tuple[Entry, ...]:
    """It can't be spent any more; `payout_paid` or `payout_failed` ends it."""
    return (
        Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, amount_minor),
        Entry(chart.PAYMENT_COMPANY, chart.PAYOUT_PAYABLE, -amount_minor),
    )
