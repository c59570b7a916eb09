"""Refunds on a real database: limits back exactly once, money for what was repaid, what accountants read afterwards."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

import pytest
from tests.credit.conftest import LATER, MERCHANT, THREE, TWELVE, Story

from fenqi.credit import PayAmount, PayInstalment, RefundRow, Settle, positions, purchase_of
from fenqi.credit import refund as refund_verb
from fenqi.credit.model import GENERAL_PATH, Loan, LoanState
from fenqi.credit.product import LoanPlan
from fenqi.credit.refund_plan import Purchase
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.ledger.postings.parts import Draw, Share
from fenqi.ledger.postings.purchase import purchase
from fenqi.ledger.walk import walk_order

MONEY = ("payment_company", "liability:money_account")


def purchase_of_order(story: Story, who: UUID, order_id: UUID) -> Purchase:
    steps = story.tx(lambda tx: walk_order(tx, who, order_id))
    step = next(step for step in steps if step.kind == "purchase")
    return purchase_of(step.journal_id, order_id, step.entries)


def refund(
    story: Story,
    who: UUID,
    order_id: UUID,
    amount_minor: int | None = None,
    by_merchant: Mapping[UUID, int] | None = None,
    refund_id: UUID | None = None,
) -> RefundRow:
    bought = purchase_of_order(story, who, order_id)
    by = story.by("came back", "staff:test")
    row, _ = story.tx(lambda tx: refund_verb(tx, who, refund_id or new_id(), bought, amount_minor, by, by_merchant))
    return row


def assert_undone(story: Story, who: UUID, money_minor: int) -> None:
    """Nothing is left of the purchase: no principal, no clearing, the money that was there before."""
    balances = story.balances(who)
    assert {
        key: amount for key, amount in balances.items() if "partner_bank" not in key and "partner" not in key[1]
    } == ({MONEY: -money_minor} if money_minor else {})
    story.assert_books_balance()


def test_a_purchase_of_which_nothing_was_repaid_is_cancelled_whole(story: Story) -> None:
    who = story.open_line(money_minor=5_000)
    loan = story.buy(who, 120_000, TWELVE)
    story.on(date(2026, 4, 2))
    row = refund(story, who, loan.order_id)
    assert (row.kind, row.amount_minor, row.to_limit_minor, row.to_money_account_minor) == (
        "cancellation", 120_000, 120_000, 0,
    )  # fmt: skip
    (after,) = story.loans(who)
    assert (after.state, after.outstanding_minor, after.next_due_on) == (LoanState.CANCELLED, 0, None)
    assert story.facts(who).limits[0].used_minor == 0
    assert_undone(story, who, 5_000)
    with pytest.raises(Refusal, match="REFUND_TOO_LARGE"):
        refund(story, who, loan.order_id)


def test_a_purchase_by_money_alone_is_cancelled_whole(story: Story) -> None:
    who = story.open_line(money_minor=50_000)
    order_id = new_id()
    story.post(who, "purchase", purchase([Share(MERCHANT, 30_000)], (), 30_000), order_id)
    row = refund(story, who, order_id)
    assert (row.kind, row.to_limit_minor, row.to_money_account_minor) == ("cancellation", 0, 30_000)
    assert_undone(story, who, 50_000)


def test_part_of_an_unpaid_purchase_comes_off_the_last_instalments(story: Story) -> None:
    """¥1,200 in 12: ¥250 back takes instalments 12 and 11 and half of 10; their fees are let off, nothing is paid."""
    who = story.open_line(money_minor=5_000)
    loan = story.buy(who, 120_000, TWELVE)
    story.on(date(2026, 3, 20))
    row = refund(story, who, loan.order_id, 25_000)
    assert (row.to_limit_minor, row.to_money_account_minor) == (25_000, 0)
    assert story.facts(who).limits[0].used_minor == 95_000
    assert story.loans(who)[0].outstanding_minor == 95_000
    assert story.balances(who)[MONEY] == -5_000
    story.assert_books_balance()


def test_what_was_repaid_comes_back_in_money_and_paid_fees_stay(story: Story) -> None:
    """Two instalments paid (¥200 and ¥14.40 fees), all ¥1,200 come back: ¥1,000 off the loan, ¥200 in money."""
    who = story.open_line(money_minor=100_000)
    loan = story.buy(who, 120_000, TWELVE)
    for month in (4, 5):
        story.on(date(2026, month, 10))
        story.repay(who, PayInstalment(loan.loan_id))
    row = refund(story, who, loan.order_id)
    assert (row.kind, row.to_limit_minor, row.to_money_account_minor) == ("refund", 100_000, 20_000)
    assert story.loans(who)[0].state is LoanState.REFUNDED
    assert story.balances(who)[MONEY] == -(100_000 - 1_440)
    assert story.balances(who)[("lender", "income:instalment_fee")] == -1_440
    assert story.facts(who).limits[0].used_minor == 0
    story.assert_books_balance()


def test_a_fully_repaid_purchase_comes_back_in_money(story: Story) -> None:
    who = story.open_line(money_minor=50_000)
    loan = story.buy(who, 30_000, LATER)
    story.repay(who, Settle(loan.loan_id))
    row = refund(story, who, loan.order_id, 12_345)
    assert (row.to_limit_minor, row.to_money_account_minor) == (0, 12_345)
    assert story.loans(who)[0].state is LoanState.SETTLED
    assert story.facts(who).limits[0].used_minor == 0
    assert story.balances(who)[MONEY] == -32_345


def test_a_mixed_purchase_is_refunded_in_proportion(story: Story) -> None:
    """¥300 on credit and ¥100 of money: of each ¥4.00 back ¥3.00 is credit, to the fen."""
    who = story.open_line(money_minor=50_000)
    loan = story.buy(who, 30_000, THREE, money_minor=10_000)
    one = refund(story, who, loan.order_id, 333)
    assert (one.on_credit_minor, one.to_limit_minor, one.to_money_account_minor) == (249, 249, 84)
    rest = refund(story, who, loan.order_id)
    assert (rest.on_credit_minor, rest.to_money_account_minor) == (29_751, 9_916)
    assert_undone(story, who, 50_000)


def test_the_merchant_gets_its_subsidy_back_with_the_goods(story: Story) -> None:
    who = story.open_line()
    free = LoanPlan("instalment_12", 12, 6_000, subsidised=True)
    order_id, shares, draws = new_id(), [Share(MERCHANT, 120_000)], [Draw(GENERAL_PATH, 120_000)]
    journal_id = story.post(who, "purchase", purchase(shares, draws, 0, [Share(MERCHANT, 8_640)]), order_id)
    story.lend(who, order_id, journal_id, free, draws, subsidy_minor=8_640)
    refund(story, who, order_id, 60_000)
    assert story.balances(who)[("lender", "income:merchant_subsidy")] == -4_320
    refund(story, who, order_id)
    assert_undone(story, who, 0)


def test_each_merchant_gives_back_its_own(story: Story) -> None:
    who = story.open_line()
    other = UUID(int=8 << 64 | 8)
    order_id, draws = new_id(), [Draw(GENERAL_PATH, 50_000)]
    shares = [Share(MERCHANT, 30_000), Share(other, 20_000)]
    journal_id = story.post(who, "purchase", purchase(shares, draws), order_id)
    story.lend(who, order_id, journal_id, LATER, draws)
    refund(story, who, order_id, 20_000, {other: 20_000})
    with pytest.raises(Refusal, match="REFUND_TOO_LARGE"):
        refund(story, who, order_id, 1, {other: 1})
    with pytest.raises(Refusal, match="AMOUNT_INVALID"):
        refund(story, who, order_id, 5, {MERCHANT: 4})
    refund(story, who, order_id)
    assert_undone(story, who, 0)


@pytest.mark.parametrize(
    ("amount_minor", "code"), [(0, "AMOUNT_INVALID"), (-1, "AMOUNT_INVALID"), (30_001, "REFUND_TOO_LARGE")]
)
def test_refused_refunds_write_nothing(story: Story, amount_minor: int, code: str) -> None:
    who = story.open_line()
    loan = story.buy(who, 30_000)
    before = (story.balances(who), story.loans(who))
    with pytest.raises(Refusal) as caught:
        refund(story, who, loan.order_id, amount_minor)
    assert caught.value.code == code
    assert (story.balances(who), story.loans(who)) == before


def test_the_same_refund_is_carried_out_once(story: Story) -> None:
    who = story.open_line()
    loan = story.buy(who, 30_000)
    refund_id = new_id()
    refund(story, who, loan.order_id, 1_000, refund_id=refund_id)
    with pytest.raises(Refusal, match="REFUND_REPEATED"):
        refund(story, who, loan.order_id, 1_000, refund_id=refund_id)
    assert story.facts(who).limits[0].used_minor == 29_000


def test_random_lives_of_purchases_give_back_what_was_drawn(story: Story) -> None:
    """Random purchases, repayments and refunds in any order: what comes back to a limit is what was drawn on it."""
    chance = random.Random(20260310)
    for _ in range(12):
        story.on(date(2026, 3, 10))
        who = story.open_line(money_minor=1_000_000)
        loan = story.buy(who, chance.randint(100, 200_000), chance.choice([LATER, THREE, TWELVE]))
        live(story, who, loan, chance)
        assert_summary_is_the_fold(story, who)
        balances = story.balances(who)
        assert ("lender", GENERAL_PATH) not in balances
        assert story.facts(who).limits[0].used_minor == 0
        assert ("mall", "clearing:merchant") not in balances
        # Money in hand is what came in, less fees paid: goods were all given back.
        assert -balances[MONEY] == 1_000_000 + balances.get(("lender", "income:instalment_fee"), 0)
    story.assert_books_balance()


def assert_summary_is_the_fold(story: Story, who: UUID) -> None:
    """The columns that repayments move say what folding the loan's events says."""
    for one in story.tx(lambda tx: positions(tx, who, story.today_on)):
        assert one.loan.outstanding_minor == one.outstanding_minor == sum(draw.amount_minor for draw in one.remaining)
        assert one.loan.next_due_on == one.next_due_on
        assert (one.loan.state is LoanState.ACTIVE) == bool(one.unpaid)


def live(story: Story, who: UUID, loan: Loan, chance: random.Random) -> None:
    left = loan.principal_minor
    while left:
        story.at += timedelta(days=chance.randint(0, 40))
        if chance.random() < 0.5:
            view = story.facts(who)
            owed = sum(row.settle_minor for row in view.loans)
            if owed:
                story.repay(who, PayAmount(chance.randint(1, owed)))
        else:
            part = left if chance.random() < 0.3 else chance.randint(1, left)
            refund(story, who, loan.order_id, part)
            left -= part
        assert_summary_is_the_fold(story, who)
