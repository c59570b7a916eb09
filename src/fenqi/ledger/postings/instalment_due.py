"""An instalment falls due: its interest, fee and late fee become receivable and are earned."""

from __future__ import annotations

from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Charges, income, receivables

KIND = "instalment_due"


def instalment_due(charges: Charges) -> tuple[Entry, ...]:
    """The consumer owes the charges, the lender has earned them. Principal was booked at the purchase."""
    return (*receivables(charges, +1), *income(charges, -1))
