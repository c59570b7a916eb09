"""Money out: the consumer takes money from the money account to a bank card, through the partner bank."""

from __future__ import annotations

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import owed

KIND = "withdrawal"


def withdrawal(amount_minor: int) -> tuple[Entry, ...]:
    """The payment company owes the consumer less and the bank more, which sends the money to the card's bank."""
    company_owes, bank_is_owed = owed(chart.PAYMENT_COMPANY, chart.PARTNER_BANK, amount_minor)
    return (
        Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, amount_minor),
        company_owes,
        bank_is_owed,
        Entry(chart.PARTNER_BANK, chart.INTERBANK, -amount_minor),
    )
