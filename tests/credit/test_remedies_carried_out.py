"""What the cashier says a repayment will do, and what it does: the same limits, the same debts, never dearer."""

from __future__ import annotations

import random
from datetime import date, timedelta
from uuid import UUID

import msgspec
from tests.credit.conftest import LATER, MONEY, THREE, TWELVE, Story

from fenqi.cashier import apply
from fenqi.cashier.action import Action, PayOverdue, Repay, SettleLoan
from fenqi.cashier.facts import ConsumerFacts, CreditFacts, Facts, MoneyAccountFacts, OrderFacts
from fenqi.cashier.remedy_debt import repayment_minor
from fenqi.credit import FreeLimit, Grant, LimitKind, Settle, limit
from fenqi.credit import PayOverdue as PayOverdueDebt
from fenqi.credit.model import GENERAL_PATH
from fenqi.kernel.ids import new_id
from fenqi.ledger import Leg
from fenqi.ledger.holds import Hold, release, reserve
from fenqi.ledger.postings.parts import Draw

FURNITURE = Grant(kind=LimitKind.DEDICATED, amount_minor=500_000, dedicated_to="furniture", categories=("furniture",))


def facts_of(story: Story, who: UUID) -> Facts:
    credit = msgspec.convert(story.facts(who), CreditFacts, from_attributes=True)
    balance_minor = -story.balances(who)[("payment_company", MONEY)]
    return Facts(
        now_ms=int(story.at.timestamp() * 1000),
        today_on=story.today_on,
        policy_version="",
        apr_cap_ppm=0,
        order=OrderFacts("", "mall", "awaiting_payment", "CNY", 1, 0, 1),
        lines=(),
        sellers=(),
        consumer=ConsumerFacts(age=30),
        methods=(),
        plans=(),
        rules=(),
        credit=credit,
        money=MoneyAccountFacts(balance_minor=balance_minor),
    )


def promise(facts: Facts, chance: random.Random) -> Action | None:
    """A debt remedy that these facts allow, chosen by chance."""
    credit = facts.credit
    if credit.overdue_minor:
        return PayOverdue(credit.overdue_minor)
    if not credit.loans:
        return None
    row = chance.choice(credit.loans)
    if chance.random() < 0.3:
        return SettleLoan(row.loan_id, sum(one.settle_minor for one in credit.loans if one.loan_id == row.loan_id))
    owed = sum(one.outstanding_minor for one in credit.loans if one.limit_path == row.limit_path)
    amount_minor = chance.randint(1, owed)
    return Repay(amount_minor, row.limit_path, repayment_minor(facts, row.limit_path, amount_minor) or 0)


def carry_out(story: Story, who: UUID, action: Action) -> int:
    """What it took from the money account, at most what the action said."""
    if isinstance(action, PayOverdue):
        request: object = PayOverdueDebt(action.amount_minor)
    elif isinstance(action, SettleLoan):
        request = Settle(UUID(action.loan_id), action.amount_minor)
    else:
        assert isinstance(action, Repay)
        request = FreeLimit(action.amount_minor, action.limit_path, action.pay_minor)
    return story.repay(who, request).plan.total_minor


def test_a_carried_out_remedy_does_what_was_promised(story: Story) -> None:
    """300 random steps of 25 people with loans on one or two limits, on time and late."""
    chance = random.Random(618)
    steps = 0
    for _ in range(25):
        story.on(date(2026, 3, 10))
        who = story.open_line(money_minor=5_000_000)
        story.tx(lambda tx, who=who: limit.grant(tx, who, FURNITURE, story.by()))
        for _ in range(12):
            story.at += timedelta(days=chance.choice([0, 0, 1, 10, 35]))
            if chance.random() < 0.4:
                shop(story, who, chance)
            facts = facts_of(story, who)
            action = promise(facts, chance)
            if action is None:
                continue
            predicted = apply(action, facts)
            assert predicted is not None, action
            paid = carry_out(story, who, action)
            now = facts_of(story, who)
            steps += 1
            assert now.credit.limits == predicted.credit.limits
            assert now.credit.overdue_minor == predicted.credit.overdue_minor == 0
            assert now.credit.observed_until_on == predicted.credit.observed_until_on
            assert now.credit.instalment_used_minor == predicted.credit.instalment_used_minor
            assert {one.loan_id for one in now.credit.loans} == {one.loan_id for one in predicted.credit.loans}
            assert paid <= facts.money.balance_minor - predicted.money.balance_minor
            assert now.money.balance_minor >= predicted.money.balance_minor
    assert steps > 150
    story.assert_books_balance()


def shop(story: Story, who: UUID, chance: random.Random) -> None:
    amounts = [chance.randint(1_000, 30_000), chance.randint(1_000, 30_000)]
    draws = [Draw(FURNITURE.path, amounts[0]), Draw(GENERAL_PATH, amounts[1])]
    if chance.random() < 0.6:
        draws = draws[1:]
    story.buy(who, 0, chance.choice([LATER, THREE, TWELVE]), draws=draws)


def test_what_is_held_is_a_fact_until_it_is_released(story: Story) -> None:
    who = story.open_line()
    hold = Hold(new_id(), who, (Leg(GENERAL_PATH, 7_000),), story.today_on, story.at, new_id())
    story.tx(lambda tx: reserve(tx, hold))
    view = story.facts(who)
    assert (view.limits[0].held_minor, view.holds[0].path, view.holds[0].amount_minor) == (7_000, GENERAL_PATH, 7_000)
    assert len(view.holds[0].order_number) == 10
    assert view.holds[0].release_by_ms == int((story.at + timedelta(days=15)).timestamp() * 1000)
    story.tx(lambda tx: release(tx, who, hold.hold_id, story.at))
    assert (story.facts(who).limits[0].held_minor, story.facts(who).holds) == (0, ())
