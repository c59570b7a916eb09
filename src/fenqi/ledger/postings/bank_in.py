"""Money in: the consumer's bank card pays into the money account, through the partner bank."""

from __future__ import annotations

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import owed

KIND = "bank_in"


def bank_in(amount_minor: int) -> tuple[Entry, ...]:
    """The bank collects from the card's bank and owes the payment company, which owes the consumer."""
    bank_owes, company_is_owed = owed(chart.PARTNER_BANK, chart.PAYMENT_COMPANY, amount_minor)
    return (
        Entry(chart.PARTNER_BANK, chart.INTERBANK, amount_minor),
        bank_owes,
        company_is_owed,
        Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, -amount_minor),
    )
