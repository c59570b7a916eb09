"""A consumer's money at home: pay-day fills the wallet, the line is applied for, instalments are paid, or not.

Delinquency comes from `assumptions`: who misses a due date pays within days, within the month, or not at all.
"""

from __future__ import annotations

import math
from datetime import date, timedelta

from fenqi import credit
from fenqi.credit import BureauFile
from fenqi.demo import assumptions as a
from fenqi.demo import clerks
from fenqi.demo.shopper import Shopper
from fenqi.flows import activate_credit, apply_credit, manage_line, money, repay
from fenqi.flows.apply_credit import Declared
from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Refusal

_NEVER = date.max


async def fill_wallet(one: Shopper, months: float = 1.0) -> None:
    """Move a part of the income to the money account, in whole ten yuan."""
    yuan = income_yuan(one) * a.SHARE_IN_WALLET * months
    await money.receive(one.ctx, one.consumer_id, one.id(), max(1, round(yuan / 10)) * 1_000)
    one.tally.add("pay-days")


def income_yuan(one: Shopper) -> float:
    """The person's monthly income: log-normal, the same at each call."""
    number = int.from_bytes(one.consumer_id.bytes[8:12], "big") / 2**32
    return a.INCOME_YUAN * math.exp(a.INCOME_SPREAD * _normal(number))


def _normal(share: float) -> float:
    """The standard normal's quantile, near enough for a market (logistic approximation)."""
    share = min(max(share, 0.003), 0.997)
    return math.log(share / (1 - share)) / 1.702


async def ask_for_line(one: Shopper) -> None:
    """Apply, be decided upon at once or by a person on the next day, and mostly activate."""
    rng = one.rng
    shown = tuple(paper for paper in ("income", "employment", "residence") if rng.random() < 0.8)
    bureau = None if rng.random() < 0.06 else BureauFile(
        lenders_count=rng.choice((0, 1, 1, 2, 2, 3, 4, 5, 9)), months_on_file=rng.choice((3, 18, 40, 80, 120)),
        delinquent_days=rng.choice((0,) * 18 + (5, 45)), inquiries_count=rng.choice((0, 1, 2, 3, 6, 11)),
        monthly_obligation_minor=round(income_yuan(one) * rng.choice((0, 5, 10, 20, 40))),
        opened_12m_count=rng.choice((0, 0, 0, 1, 1, 2, 4)), used_ppm=rng.choice((100, 250, 400, 550, 700, 900)) * 1_000,
    )  # fmt: skip
    application_id = one.id()
    declared = Declared(round(income_yuan(one)) * 100, shown)
    consents = credit.activation.required_consents(one.ctx.reference.product)
    try:
        application, _ = await apply_credit.apply(one.ctx, one.consumer_id, application_id, declared, consents, bureau)
    except Refusal as no:
        one.tally.add(f"application refused: {no.code}")
        return
    outcome = application.outcome
    if outcome == "review":
        outcome = "approved" if rng.random() < 0.7 else "rejected"
        reasons = application.principal_reasons or ("CR_NO_FILE",)
        await clerks.decide_application(one, application_id, outcome == "approved", reasons)
    one.tally.add(f"applications {outcome}")
    if outcome == "approved" and rng.random() < a.ACTIVATES_AT_ONCE:
        one.think(60, 3_600)
        await activate_credit.activate(one.ctx, one.consumer_id)
        one.has_line = True


def is_due(one: Shopper, today_on: date) -> bool:
    """Whether the person looks after their instalments today; on a due date it is decided how late they will be."""
    if one.next_due_on is None or today_on < one.next_due_on:
        return False
    if one.pays_on is None:
        one.pays_on = _pays_on(one, one.next_due_on)
    return today_on >= one.pays_on


def _pays_on(one: Shopper, due_on: date) -> date:
    rng = one.rng
    if rng.random() >= a.MISSES:
        return due_on
    if rng.random() < a.CURES_IN_3_DAYS:
        return due_on + timedelta(days=rng.randint(3, 5))
    return due_on + timedelta(days=rng.randint(8, 32)) if rng.random() < a.CURES_IN_MONTH else _NEVER


async def pay_instalments(one: Shopper) -> None:
    """Pay what is due and what will be in the next days, from money moved in for it; rarely settle everything."""
    today_on = business_date(one.ctx.now())
    mine = await manage_line.my_credit(one.ctx, one.consumer_id)
    until_on = today_on + timedelta(days=a.PAYS_AHEAD_DAYS)
    rows = [row for loan in mine.open_loans for row in loan.unpaid]
    due = [row for row in rows if row.due_on <= until_on]
    one.pays_on = None
    if due:
        early = one.rng.random() < a.SETTLES_EARLY
        amount = (
            sum(loan.settle.total_minor for loan in mine.open_loans)
            if early
            else sum(row.outstanding.total_minor for row in due)
        )
        await money.receive(one.ctx, one.consumer_id, one.id(), amount)
        one.think(10, 90)
        if early:
            await repay.settle(one.ctx, one.consumer_id, one.id())
        else:
            await repay.pay_amount(one.ctx, one.consumer_id, one.id(), amount)
        one.tally.add("settled early" if early else "repaid")
        rows = [] if early else [row for row in rows if row.due_on > until_on]
    one.next_due_on = min((row.due_on for row in rows), default=None)
