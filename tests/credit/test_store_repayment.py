"""Repaying on a real database: what an accountant reads afterwards, races, and refusals that write nothing."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from tests.credit.conftest import LATER, THREE, TWELVE, Story

from fenqi.credit import line, repayment
from fenqi.credit.default_policy import PRODUCT
from fenqi.credit.limit import Grant, grant
from fenqi.credit.model import GENERAL_PATH, LimitKind, LoanState
from fenqi.credit.repayment_plan import FreeLimit, PayAmount, PayInstalment, PayOverdue, Settle
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.ledger.postings.parts import Draw

PRINCIPAL = ("lender", GENERAL_PATH)
MONEY = ("payment_company", "liability:money_account")
FEE = ("lender", "income:instalment_fee")


def refused(story: Story, who: Any, request: Any) -> str:
    """The code of the refusal, after checking that nothing was written."""
    before = (story.balances(who), story.loans(who), story.facts(who))
    with pytest.raises(Refusal) as caught:
        story.repay(who, request)
    assert (story.balances(who), story.loans(who), story.facts(who)) == before
    return caught.value.code


def test_the_first_instalment_of_a_phone(story: Story) -> None:
    """¥3,200.01 in 12 at 0.6 % a month: instalment 1 is ¥266.67 and ¥19.20 fee."""
    who = story.open_line(money_minor=100_000)
    loan = story.buy(who, 320_001, TWELVE)
    story.on(date(2026, 4, 10))
    receipt = story.repay(who, PayInstalment(loan.loan_id, 1))
    assert receipt.plan.total_minor == 28_587
    assert story.balances(who) == {
        ("lender", GENERAL_PATH): 293_334,
        ("lender", "clearing:mall"): -320_001,
        ("lender", "clearing:payment_company"): 28_587,
        ("lender", "income:instalment_fee"): -1_920,
        ("mall", "clearing:lender"): 320_001,
        ("mall", "clearing:merchant"): -320_001,
        ("partner_bank", "asset:interbank"): 100_000,
        ("partner_bank", "clearing:payment_company"): -100_000,
        ("payment_company", "clearing:lender"): -28_587,
        ("payment_company", "clearing:partner_bank"): 100_000,
        ("payment_company", "liability:money_account"): -71_413,
    }
    (after,) = story.loans(who)
    assert (after.state, after.outstanding_minor, after.next_due_on) == (LoanState.ACTIVE, 293_334, date(2026, 5, 10))
    assert story.facts(who).limits[0].used_minor == 293_334
    story.assert_books_balance()


def test_every_instalment_until_the_loan_is_settled(story: Story) -> None:
    who = story.open_line(money_minor=40_000)
    loan = story.buy(who, 30_000, THREE)
    paid = []
    for month in (4, 5, 6):
        story.on(date(2026, month, 10))
        paid.append(story.repay(who, PayInstalment(loan.loan_id)).plan.total_minor)
    assert paid == [10_150, 10_150, 10_150]
    (after,) = story.loans(who)
    assert (after.state, after.outstanding_minor, after.next_due_on) == (LoanState.SETTLED, 0, None)
    assert story.balances(who)[FEE] == -450
    assert PRINCIPAL not in story.balances(who)
    story.assert_books_balance()


def test_settling_early_spares_the_fees_of_periods_not_begun(story: Story) -> None:
    who = story.open_line(money_minor=200_000)
    loan = story.buy(who, 120_000, TWELVE)
    story.on(date(2026, 3, 20))
    receipt = story.repay(who, Settle(loan.loan_id))
    assert (receipt.plan.total_minor, receipt.plan.let_off_minor) == (120_720, 7_920)
    assert story.loans(who)[0].state is LoanState.SETTLED
    assert story.balances(who)[MONEY] == -79_280
    assert story.facts(who).loans == ()


def test_any_amount_goes_to_what_falls_due_first(story: Story) -> None:
    """¥100.00 on two loans: instalment 1 of the older (fee first), then the newer's pay-later loan."""
    who = story.open_line(money_minor=100_000)
    older = story.buy(who, 24_000, THREE)
    story.on(date(2026, 3, 12))
    newer = story.buy(who, 5_000, LATER)
    story.on(date(2026, 3, 20))
    receipt = story.repay(who, PayAmount(10_000))
    assert [(part.loan_id, part.paid.fee_minor, part.paid.principal_minor) for part in receipt.plan.parts] == [
        (older.loan_id, 120, 8_000),
        (newer.loan_id, 0, 1_880),
    ]
    assert len(receipt.journal_ids) == 2
    assert [loan.outstanding_minor for loan in story.loans(who)] == [16_000, 3_120]
    story.assert_books_balance()


def test_all_of_it_at_once(story: Story) -> None:
    who = story.open_line(money_minor=100_000)
    story.buy(who, 24_000, THREE)
    story.buy(who, 5_000, LATER)
    story.on(date(2026, 3, 20))
    receipt = story.repay(who, Settle())
    assert receipt.plan.total_minor == 24_120 + 5_000
    assert {loan.state for loan in story.loans(who)} == {LoanState.SETTLED}
    assert story.facts(who).limits[0].used_minor == 0


def test_paying_the_amount_that_settles_settles(story: Story) -> None:
    who = story.open_line(money_minor=100_000)
    loan = story.buy(who, 24_000, THREE)
    story.on(date(2026, 3, 20))
    assert refused(story, who, PayAmount(24_121, loan.loan_id)) == "REPAYMENT_TOO_LARGE"
    story.repay(who, PayAmount(24_120, loan.loan_id))
    assert story.loans(who)[0].state is LoanState.SETTLED


def test_overdue_comes_first_and_clearing_a_long_one_brings_observation(story: Story) -> None:
    who = story.open_line(money_minor=100_000)
    late = story.buy(who, 30_000, THREE)
    story.on(date(2026, 4, 5))
    fine = story.buy(who, 6_000, THREE)
    story.on(date(2026, 5, 1))
    assert refused(story, who, Settle(fine.loan_id)) == "OVERDUE_FIRST"
    assert refused(story, who, FreeLimit(1_000, GENERAL_PATH)) == "OVERDUE_FIRST"
    story.on(date(2026, 5, 11))
    promised = story.facts(who)
    assert (promised.overdue_minor, promised.overdue_days) == (20_300 + 2_030, 31)
    receipt = story.repay(who, PayOverdue(at_most_minor=promised.overdue_minor))
    assert receipt.plan.total_minor == 22_330
    after = story.facts(who)
    assert (after.overdue_minor, after.overdue_days) == (0, 0)
    assert after.observed_until_on == promised.observed_if_cleared_until_on == date(2026, 6, 10)
    assert [loan.loan_id for loan in story.loans(who)] == [late.loan_id, fine.loan_id]


def test_a_short_delay_brings_no_observation(story: Story) -> None:
    who = story.open_line(money_minor=100_000)
    story.buy(who, 30_000, THREE)
    story.on(date(2026, 4, 20))
    assert story.repay(who, PayOverdue()).observed_until_on is None
    assert story.facts(who).observed_until_on is None
    assert refused(story, who, PayOverdue()) == "NOTHING_OWED"


def test_freeing_a_limit_frees_exactly_that_and_costs_no_more_than_promised(story: Story) -> None:
    """Two loans on the general limit: ¥130 of it is wanted, the older loan's ¥120 goes whole, ¥10 off the newer."""
    who = story.open_line(money_minor=100_000)
    older = story.buy(who, 12_000, TWELVE)
    story.on(date(2026, 3, 12))
    newer = story.buy(who, 12_000, TWELVE)
    story.on(date(2026, 3, 20))
    first, second = story.facts(who).loans
    promised = first.settle_minor + -(-second.settle_minor * 1_000 // 12_000)
    receipt = story.repay(who, FreeLimit(13_000, GENERAL_PATH, at_most_minor=promised))
    assert receipt.plan.freed == {GENERAL_PATH: 13_000}
    assert receipt.plan.total_minor == 12_072 + 1_000 <= promised
    gone, shorter = story.loans(who)
    assert (gone.loan_id, gone.state) == (older.loan_id, LoanState.SETTLED)
    assert (shorter.loan_id, shorter.outstanding_minor) == (newer.loan_id, 11_000)
    assert story.facts(who).limits[0].used_minor == 11_000
    story.assert_books_balance()


def test_a_loan_on_two_limits_gives_back_the_one_that_is_asked_for(story: Story) -> None:
    who = story.open_line(money_minor=200_000)
    furniture = Grant(
        kind=LimitKind.DEDICATED, amount_minor=50_000, dedicated_to="furniture", categories=("furniture",)
    )
    path = furniture.path
    story.tx(lambda tx: grant(tx, who, furniture, story.by("for the flat")))
    story.buy(who, 0, TWELVE, draws=[Draw(path, 50_000), Draw(GENERAL_PATH, 70_000)])
    story.on(date(2026, 3, 20))
    view = story.facts(who)
    assert [(row.limit_path, row.outstanding_minor, row.settle_minor) for row in view.loans] == [
        (path, 50_000, 50_300),
        (GENERAL_PATH, 70_000, 70_420),
    ]
    story.repay(who, FreeLimit(60_000, GENERAL_PATH))
    assert {one.path: one.used_minor for one in story.facts(who).limits} == {path: 50_000, GENERAL_PATH: 10_000}
    assert refused(story, who, FreeLimit(10_001, GENERAL_PATH)) == "REPAYMENT_TOO_LARGE"
    story.repay(who, Settle())
    assert {one.path: one.used_minor for one in story.facts(who).limits} == {path: 0, GENERAL_PATH: 0}
    story.assert_books_balance()


def test_refusals_write_nothing(story: Story) -> None:
    who = story.open_line(money_minor=1_000)
    loan = story.buy(who, 12_000, TWELVE)
    story.on(date(2026, 3, 20))
    assert refused(story, who, PayAmount(0)) == "AMOUNT_INVALID"
    assert refused(story, who, PayAmount(-5)) == "AMOUNT_INVALID"
    assert refused(story, who, PayAmount(99_999_999)) == "REPAYMENT_TOO_LARGE"
    assert refused(story, who, PayAmount(1, new_id())) == "LOAN_UNKNOWN"
    assert refused(story, who, PayInstalment(loan.loan_id, 2)) == "INSTALMENT_NOT_NEXT"
    assert refused(story, who, PayInstalment(loan.loan_id)) == "BALANCE_INSUFFICIENT"
    assert refused(story, who, Settle(at_most_minor=12_071)) == "REPAYMENT_COST_CHANGED"
    stranger = story.open_line(money_minor=100_000)
    assert refused(story, stranger, Settle(loan.loan_id)) == "LOAN_UNKNOWN"


def test_the_same_repayment_is_carried_out_once(story: Story) -> None:
    who = story.open_line(money_minor=100_000)
    loan = story.buy(who, 24_000, THREE)
    story.on(date(2026, 3, 20))
    journal_id = new_id()
    story.repay(who, PayInstalment(loan.loan_id), journal_id)
    with pytest.raises(Refusal, match="REPAYMENT_REPEATED"):
        story.repay(who, PayInstalment(loan.loan_id), journal_id)
    assert story.facts(who).limits[0].used_minor == 16_000


def test_two_events_in_one_millisecond_keep_their_order(story: Story) -> None:
    who = story.open_line(money_minor=100_000)
    loan = story.buy(who, 24_000, THREE)
    for _ in range(5):
        story.repay(who, PayAmount(1_000, loan.loan_id))
    (after,) = story.loans(who)
    assert (after.events, after.outstanding_minor) == (5, 24_000 - 5_000 + 120)
    story.assert_books_balance()


def test_a_preview_says_what_will_happen(story: Story) -> None:
    who = story.open_line(money_minor=100_000)
    story.buy(who, 24_000, THREE)
    story.on(date(2026, 3, 20))
    for request in (PayAmount(3_333), FreeLimit(500, GENERAL_PATH), Settle()):
        shown = story.tx(lambda tx, request=request: repayment.preview_repayment(tx, who, request, story.at))
        done = story.repay(who, request).plan
        assert (shown.total_minor, shown.freed, shown.let_off_minor) == (
            done.total_minor,
            done.freed,
            done.let_off_minor,
        )


def test_racing_repayments_give_the_limit_back_once(story: Story) -> None:
    """Twenty clicks on "settle": one goes through, nineteen find nothing owed, the limit comes back once."""
    who = story.open_line(money_minor=1_000_000)
    loan = story.buy(who, 24_000, THREE)
    other = story.buy(who, 9_000, LATER)
    story.on(date(2026, 3, 20))

    async def click() -> str:
        try:
            async with story.database.transaction() as tx:
                await repayment.repay(tx, who, new_id(), Settle(loan.loan_id), PRODUCT, story.by())
        except Refusal as no:
            return no.code
        return "settled"

    async def race() -> list[str]:
        return await asyncio.gather(*(click() for _ in range(20)))

    answers = story.run(race())
    assert sorted(answers) == ["LOAN_UNKNOWN"] * 19 + ["settled"]
    assert story.facts(who).limits[0].used_minor == other.principal_minor
    assert story.balances(who)[MONEY] == -(1_000_000 - 24_120)
    story.assert_books_balance()


def test_debts_of_a_line_that_was_withdrawn_are_still_repaid(story: Story) -> None:
    who = story.open_line(money_minor=50_000)
    story.buy(who, 24_000, THREE)
    story.tx(lambda tx: line.close_by_lender(tx, who, story.by("review", "staff:wang"), ("CR_MULTI_LENDER",)))
    story.repay(who, Settle())
    assert (story.facts(who).state, story.facts(who).loans) == ("closed_by_lender", ())
    story.assert_books_balance()
