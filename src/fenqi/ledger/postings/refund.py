"""A refund, whole or in part: merchants give back, open principal goes down first, the rest becomes money.

What goes back through a channel is owed to the buyer from now on, and leaves with a `channel_refund`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fenqi.ledger import chart
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.parts import (
    Charges,
    Draw,
    Receipt,
    Share,
    income,
    on_limits,
    owed,
    owed_back,
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
    channels: Sequence[Receipt] = (),
) -> tuple[Entry, ...]:
    """The purchase turned round for the refunded part; Unbalanced unless what merchants give back is all given on.

    `principal` is what the refund takes off open loans, `money_account_minor` what the consumer gets in money
    (paid with it, or already repaid), `channels` what is to go back the way it came. `waived` are charges that had
    fallen due and are not asked for any more; `subsidies` go back from the lender to the merchants.
    """
    repaid, in_money = total(principal), money_account_minor + total(channels)
    require(total(merchants) == repaid + in_money, "what merchants give back is not what is given on")
    entries = to_merchants(merchants, +1)
    if repaid:
        entries += owed(chart.MALL, chart.LENDER, repaid)
        entries += on_limits(principal, -1)
    if in_money:
        entries += owed(chart.MALL, chart.PAYMENT_COMPANY, in_money)
    if money_account_minor:
        entries.append(Entry(chart.PAYMENT_COMPANY, chart.MONEY_ACCOUNT, -money_account_minor))
    entries += owed_back(channels, -1)
    entries += income(waived, +1)
    entries += receivables(waived, -1)
    if subsidies:
        entries.append(Entry(chart.LENDER, chart.MERCHANT_SUBSIDY, total(subsidies)))
        entries += owed(chart.LENDER, chart.MALL, total(subsidies))
        entries += to_merchants(subsidies, -1)
    return tuple(entries)
