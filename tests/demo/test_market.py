"""A few days of the simulated market: orders in numbers, the books right, nothing left on its way."""

from __future__ import annotations

from datetime import timedelta

from tests.demo.conftest import NOW, PAY_PASSWORD

from fenqi import attempt, customer, seed
from fenqi.database import outbox
from fenqi.demo import assumptions, gateways
from fenqi.demo.market import Market
from fenqi.demo.tally import Tally
from fenqi.flows import money
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.ledger import balances
from fenqi.seed.casting import Casting

_DAYS = 3


_OFTEN = {
    "OUTSIDE": 0.45, "PAYS_TWICE": 0.3, "PAYS_LATE": 0.3, "WALLET_SAYS_NO": 0.15, "LEAVES_WALLET": 0.15,
    "CARD_SAYS_NO": 0.3, "RETURNED_OUTSIDE": 0.5, "REFUND_FAILS": 0.4, "MIXED": 0.4, "MOVES_BY_CARD": 0.5,
}  # fmt: skip
"""What is rare in the demo, often enough to happen within three days."""


def test_three_days_of_trade(crew: Casting, live, monkeypatch) -> None:
    for name, share in _OFTEN.items():
        monkeypatch.setattr(assumptions, name, share)
    tally: Tally = live(_market(crew))
    assert 40 <= tally.orders <= 170
    assert tally["paid"] > 0.45 * tally.orders
    assert tally["refused"] > 10
    assert tally["recovered"] > 0
    assert tally["applications approved"] > 10
    assert set(tally.paid_by) >= {"money_account full", "credit pay_later", "wechat_pay full", "alipay full"}
    assert tally["paid twice"] + tally["paid late"] > 0
    for what in ("refused in the wallet", "left at the wallet", "refunded outside"):
        assert tally[what] > 0, what
    assert "UNKNOWN" not in tally.refused_by


async def _market(crew: Casting) -> Tally:
    people = seed.people(40, business_date(NOW))
    by = By("system:test", "the market's people", NOW - timedelta(days=9))
    for person in people:
        async with crew.ctx.database.transaction() as tx:
            await seed.enrol(
                tx, crew.ctx.keys, person, crew.password_hash, by, pay_password_hash=crew.pay_password_hash
            )
            await money.open_within(tx, person.consumer_id, by)
    first_on = business_date(NOW) - timedelta(days=_DAYS)
    assert crew.till is not None
    market = Market(crew.ctx, crew.clock, people, PAY_PASSWORD, first_on, _DAYS, till=crew.till)
    days: list[int] = []
    tally = await market.run(0, _nobody_else, days.append)
    assert days == [1, 2, 3]
    async with crew.ctx.database.snapshot() as tx:
        assert await balances.faults(tx) == []
        assert await outbox.backlog(tx) == (0, 0)
        assert await gateways.faults(tx, crew.till.control) == []
        assert await attempt.to_ask(tx, NOW + timedelta(days=30)) == []
        assert len(await customer.get_many(tx, [one.consumer_id for one in people])) == 40
    return tally


async def _nobody_else() -> None:
    return None
