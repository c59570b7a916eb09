"""A cancellation: the order is undone before anything was repaid, so its purchase journal is posted the other way.

Only what a channel took does not turn round by itself: it is owed to the buyer until a `channel_refund` gives it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from fenqi.ledger import chart
from fenqi.ledger.model import Entry

KIND = "cancellation"


def cancellation(purchase: Sequence[Entry]) -> tuple[Entry, ...]:
    """Every entry of the purchase with the opposite sign, a channel's as owed back: limit and money come back whole."""
    return tuple(Entry(e.book, _way_back(e.path), -e.amount_minor, e.party_id) for e in purchase)


def _way_back(path: str) -> str:
    return chart.REFUND_PAYABLE if chart.is_channel(path) else path
