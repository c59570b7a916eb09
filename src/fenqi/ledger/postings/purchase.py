"""A purchase: by credit on limits, the money account, external channels or a mix, from one or several merchants."""

from __future__ import annotations

from collections.abc import Sequence

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import Draw, Receipt, Share, at_channels, on_limits, owed, require, to_merchants, total

KIND = "purchase"


def purchase(
    merchants: Sequence[Share],
    draws: Sequence[Draw] = (),
    money_account_minor: int = 0,
    subsidies: Sequence[Share] = (),
    channels: Sequence[Receipt] = (),
) -> tuple[Entry, ...]:
    """Who pays owes the mall, the mall owes the merchants; Unbalanced unless tenders and shares add up.

    The lender pays for what is drawn, the payment company for what comes from the money account
    and for what `channels` have taken. `subsidies` are what merchants pay the lender so that the buyer pays no
    interest: taken from what they are owed, earned now.
    """
    drawn, in_money = total(draws), money_account_minor + total(channels)
    require(total(merchants) == drawn + in_money, "tenders and merchants' shares differ")
    entries = [*on_limits(draws, +1)]
    if drawn:
        entries += owed(chart.LENDER, chart.MALL, drawn)
    if money_account_minor:
        entries.append(Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, money_account_minor))
    entries += at_channels(channels, +1)
    if in_money:
        entries += owed(chart.PAYMENT_COMPANY, chart.MALL, in_money)
    entries += to_merchants(merchants, -1)
    if subsidies:
        entries += to_merchants(subsidies, +1)
        entries += owed(chart.MALL, chart.LENDER, total(subsidies))
        entries.append(Entry(chart.LENDER, chart.MERCHANT_SUBSIDY, -total(subsidies)))
    return tuple(entries)
