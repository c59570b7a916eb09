"""A withdrawal that failed: the channel did not send it, so the money is in the money account again."""

from __future__ import annotations

from fenqi.ledger import chart
from fenqi.ledger.model import Entry

KIND = "payout_failed"


def payout_failed(amount_minor: int) -> tuple[Entry, ...]:
    """The `payout` the other way round."""
    return (
        Entry(chart.PAYMENT_COMPANY, chart.PAYOUT_PAYABLE, amount_minor),
        Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, -amount_minor),
    )
