"""A refund, whole or in part: merchants give back, open principal goes down first, the rest becomes money."""

from __future__ import annotations

from collections.abc import Sequence

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import (
    Charges,
    Draw,
    Share,
    income,
    on_limits,
    owed,
    receivables,
    require,
    to_merchants,
    total,
)

KIND = "refund"
_NONE = Charges()


def refund(
    merchants: Sequence[Share],
    principal: Sequence[Draw] = (),
    money_account_minor: int = 0,
    waived: Charges = _NONE,
    subsidies: Sequence[Share] = (),
) -> tuple[Entry, ...]:
    """The purchase turned round for the refunded part; Unbalanced unless what merchants give back is all given on.

    `principal` is what the refund takes off open loans, `money_account_minor` what the consumer gets in money
    (paid with it, or already repaid). `waived` are charges that had fallen due and are not asked for any more;
    `subsidies` go back from the lender to the merchants.
    """
    repaid = total(principal)
    require(total(merchants) == repaid + money_account_minor, "what merchants give back is not what is given on")
    entries = to_merchants(merchants, +1)
    if repaid:
        entries += owed(chart.MALL, chart.LENDER, repaid)
        entries += on_limits(principal, -1)
    if money_account_minor:
        entries += owed(chart.MALL, chart.PAYMENT_COMPANY, money_account_minor)
        entries.append(Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, -money_account_minor))
    entries += income(waived, +1)
    entries += receivables(waived, -1)
    if subsidies:
        entries.append(Entry(chart.LENDER, chart.MERCHANT_SUBSIDY, total(subsidies)))
        entries += owed(chart.LENDER, chart.MALL, total(subsidies))
        entries += to_merchants(subsidies, -1)
    return tuple(entries)
