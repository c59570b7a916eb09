"""Repaying: choose how much, look where it goes, then pay it from the money account under the form's key."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from fenqi import credit, texts
from fenqi.credit import (
    Parts,
    PayAmount,
    PayInstalment,
    PayOverdue,
    Position,
    RepaymentPlan,
    RepaymentRequest,
    Settle,
    plan_repayment,
)
from fenqi.database.pool import Tx
from fenqi.flows import repay
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import parse_id
from fenqi.kernel.money import parse_minor
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop.money import balance_of


class Choice(NamedTuple):
    """One of the usual amounts."""

    what: str
    amount_minor: int
    says: str


class Preview(NamedTuple):
    """Where a repayment goes."""

    amount_minor: int
    parts: Parts
    let_off_minor: int


async def page(visit: Visit, failed: Refusal | None = None) -> Response:
    """GET /credit/repay?loan=&what=&amount=."""
    asked = visit.query if failed is None else visit.form.text
    loan_id, what, typed = parse_id(asked("loan", 40)), asked("what", 20), asked("amount", 20)
    today_on = business_date(visit.context.now())
    async with visit.context.database.snapshot() as tx:
        found = await _open(tx, visit.consumer_id, today_on)
        balance = await balance_of(tx, visit.consumer_id)
    if loan_id is not None and loan_id not in {one.loan_id for one in found}:
        raise NotFound("LOAN_UNKNOWN", "no such open loan")
    choices = _choices(visit, found, loan_id)
    what = what or (choices[0].what if choices else "")
    preview, no = _preview(found, _safely(found, what, loan_id, typed), today_on) if choices else (None, None)
    return visit.render(
        "shop/repay.html",
        200 if failed is None else failed.status,
        chosen=loan_id,
        choices=choices,
        what=what,
        typed=typed,
        balance_minor=balance.balance_minor,
        preview=preview,
        following=_next_of(found, loan_id),
        here="/credit/repay?" + urlencode({"loan": loan_id or "", "what": what, "amount": typed}),
        error=visit.error(failed or no),
    )


async def _open(tx: Tx, consumer_id: UUID, today_on: date) -> list[Position]:
    """The open loans, those due first in front, as a repayment takes them."""
    found = [one for one in await credit.positions(tx, consumer_id, today_on) if one.unpaid]
    return sorted(found, key=lambda one: (one.next_due_on or date.max, one.loan_id))


def _choices(visit: Visit, found: list[Position], loan_id: UUID | None) -> list[Choice]:
    chosen = [one for one in found if loan_id in (None, one.loan_id)]
    if not chosen:
        return []
    choices = []
    overdue_minor = sum(one.state.overdue_minor for one in found)
    if overdue_minor:
        choices.append(Choice("overdue", overdue_minor, texts.t("repay.says_overdue", visit.locale)))
    first = chosen[0].unpaid[0]
    if not chosen[0].overdue:
        says = texts.t("repay.says_next", visit.locale, due_on=first.due_on)
        choices.append(Choice("next", min(first.outstanding.total_minor, chosen[0].settle.total_minor), says))
    owed_minor = sum(one.state.outstanding.total_minor for one in chosen)
    settle_minor = sum(one.settle.total_minor for one in chosen)
    says = texts.t("repay.says_settle", visit.locale, saved_minor=owed_minor - settle_minor)
    choices.append(Choice("settle", settle_minor, says if owed_minor > settle_minor else ""))
    return choices


def request_of(what: str, loan_id: UUID | None, n: int | None, amount_minor: int | None) -> RepaymentRequest:
    """The request that a choice stands for; refuses an unknown one. `amount_minor` is the amount agreed to."""
    if what == "overdue":
        return PayOverdue(amount_minor)
    if what == "settle":
        return Settle(loan_id, amount_minor)
    if what == "next" and loan_id is not None:
        return PayInstalment(loan_id, n)
    if what == "other" and amount_minor is not None:
        return PayAmount(amount_minor, loan_id)
    raise Refusal("AMOUNT_INVALID", "say how much")


def _next_of(found: list[Position], loan_id: UUID | None) -> tuple[UUID, int] | None:
    """The loan and instalment that come next."""
    chosen = [one for one in found if loan_id in (None, one.loan_id)]
    return (chosen[0].loan_id, chosen[0].unpaid[0].n) if chosen else None


def _safely(found: list[Position], what: str, loan_id: UUID | None, typed: str) -> RepaymentRequest | Refusal:
    try:
        amount_minor = parse_minor(typed.replace(",", "")) if what == "other" else None
        following = _next_of(found, loan_id) if what == "next" else None
        if following is not None:
            return request_of(what, following[0], following[1], amount_minor)
        return request_of(what, loan_id, None, amount_minor)
    except Refusal as no:
        return no


def _preview(
    found: list[Position], asked: RepaymentRequest | Refusal, today_on: date
) -> tuple[Preview | None, Refusal | None]:
    if isinstance(asked, Refusal):
        return None, asked
    try:
        return _summed(plan_repayment(found, asked, today_on)), None
    except Refusal as no:
        return None, no


def _summed(planned: RepaymentPlan) -> Preview:
    paid = [part.paid for part in planned.parts]
    sums = Parts(
        sum(one.penalty_minor for one in paid),
        sum(one.fee_minor for one in paid),
        sum(one.interest_minor for one in paid),
        sum(one.principal_minor for one in paid),
    )
    return Preview(planned.total_minor, sums, planned.let_off_minor)


async def pay(visit: Visit) -> Response:
    """POST /credit/repay: what the preview showed, under its key."""
    form = visit.form
    what, key, amount_minor = form.required("what", 20), visit.key("key", "repay"), form.count("amount_minor", 10**11)
    back = parse_id(form.text("loan"))
    loan_id = parse_id(form.text("of")) if what == "next" else back
    try:
        n = form.count("n") if what == "next" else None
        await repay.repay(visit.context, visit.consumer_id, key, request_of(what, loan_id, n, amount_minor))
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect("/credit" if back is None else f"/credit/loans/{back}", notice="repaid")


ROUTES = [get("/credit/repay", page, Who.CONSUMER), post("/credit/repay", pay)]
