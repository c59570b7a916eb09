"""A purchase: by credit on one or several limits, by the money account, or by both, from one or several merchants."""

from __future__ import annotations

from collections.abc import Sequence

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Draw, Share, on_limits, owed, require, to_merchants, total

KIND = "purchase"


def purchase(
    merchants: Sequence[Share],
    draws: Sequence[Draw] = (),
    money_account_minor: int = 0,
    subsidies: Sequence[Share] = (),
) -> tuple[Entry, ...]:
    """Who pays owes the mall, the mall owes the merchants; Unbalanced unless tenders and shares add up.

    The lender pays for what is drawn, the payment company for what comes from the money account. `subsidies` are
    what merchants pay the lender so that the buyer pays no interest: taken from what they are owed, earned now.
    """
    drawn = total(draws)
    require(total(merchants) == drawn + money_account_minor, "tenders and merchants' shares differ")
    entries = [*on_limits(draws, +1)]
    if drawn:
        entries += owed(chart.LENDER, chart.MALL, drawn)
    if money_account_minor:
        entries.append(Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, money_account_minor))
        entries += owed(chart.PAYMENT_COMPANY, chart.MALL, money_account_minor)
    entries += to_merchants(merchants, -1)
    if subsidies:
        entries += to_merchants(subsidies, +1)
        entries += owed(chart.MALL, chart.LENDER, total(subsidies))
        entries.append(Entry(chart.LENDER, chart.MERCHANT_SUBSIDY, -total(subsidies)))
    return tuple(entries)
