"""A repayment from the money account: principal, and charges, those that fall due with it included."""

from __future__ import annotations

from collections.abc import Sequence

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.instalment_due import instalment_due
from fenqi.ledger.postings.parts import Charges, Draw, on_limits, owed, receivables, total

KIND = "repayment"
_NONE = Charges()


def repayment(principal: Sequence[Draw], charges: Charges = _NONE, recognised: Charges = _NONE) -> tuple[Entry, ...]:
    """The payment company owes the consumer less and the lender more; the lender's claims are paid.

    `charges` are what is paid of interest, fee and late fee; `recognised` are the charges among them that no
    `instalment_due` journal has booked yet (paid early, or there was no close of day): they are earned here.
    """
    amount_minor = total(principal) + charges.total_minor
    return (
        Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, amount_minor),
        *owed(chart.PAYMENT_COMPANY, chart.LENDER, amount_minor),
        *instalment_due(recognised),
        *on_limits(principal, -1),
        *receivables(charges, -1),
    )
