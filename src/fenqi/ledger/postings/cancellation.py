"""A cancellation: the order is undone before anything was repaid, so its purchase journal is posted the other way."""

from __future__ import annotations

from collections.abc import Sequence

from fenqi.ledger.model import Entry

KIND = "cancellation"


def cancellation(purchase: Sequence[Entry]) -> tuple[Entry, ...]:
    """Every entry of the purchase with the opposite sign: limit and money come back whole, nothing was earned."""
    return tuple(Entry(e.book, e.path, -e.amount_minor, e.party_id) for e in purchase)
