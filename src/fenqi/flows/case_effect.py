"""What a person's decision brings about: the line opened, a limit restored, a payment let through, a list lifted.

Everything happens in the decision's own transaction; what can't happen (the line has moved on meanwhile) takes the
decision with it, and the person reads why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fenqi import credit, order
from fenqi.aftersales import Case, CaseDecision, Kind, Topic, Verdict
from fenqi.credit import ApplicationDecision
from fenqi.credit.model import GENERAL_PATH
from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.flows import case_risk
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.order import OrderState
from fenqi.risk import Subject

LIMIT_MOST_MINOR = 20_000_000
"""¥200,000: the most that a network lender may lend one person."""
DAYS_MOST = 30
_CLEARED_DAYS = 2
"""How long somebody is cleared for whatever they pay, where the order that was looked at can't be paid any more."""

Effect = Callable[[Context, Tx, Case, CaseDecision, By], Awaitable[None]]


def needed(kind: Kind, topic: Topic, outcome: str) -> tuple[str, ...]:
    """What a person has to give beside this outcome: `limit_minor`, `days`."""
    if outcome == "approved":
        return ("limit_minor",)
    if kind is Kind.APPEAL and outcome == "upheld":
        return {
            Topic.CREDIT_REFUSAL: ("limit_minor",), Topic.LIMIT_CUT: ("limit_minor",), Topic.RISK_REFUSAL: ("days",),
        }.get(topic, ())  # fmt: skip
    return ()


def check(case: Case, wanted: Verdict) -> None:
    """Refuse AMOUNT_INVALID and DAYS_INVALID where an outcome comes without what it needs, or with nonsense."""
    wants = needed(case.kind, case.topic, wanted.outcome)
    limit_minor, days = wanted.inputs.get("limit_minor"), wanted.inputs.get("days")
    if "limit_minor" in wants and not _whole(limit_minor, 10_000, LIMIT_MOST_MINOR):
        raise Refusal("AMOUNT_INVALID", "a limit is ¥100 to ¥200,000")
    if "days" in wants and not _whole(days, 1, DAYS_MOST):
        raise Refusal("DAYS_INVALID", f"1 to {DAYS_MOST} days", days_most=DAYS_MOST)
    if set(wanted.inputs) - set(wants):
        raise Refusal("FIELD_UNKNOWN", f"this outcome takes {wants or 'nothing'}")


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


async def carry_out(ctx: Context, tx: Tx, case: Case, decision: CaseDecision, by: By) -> None:
    """Do what follows from the decision on a case; nothing where nothing follows."""
    effect = _EFFECTS.get((case.kind, decision.outcome))
    if effect is not None:
        await effect(ctx, tx, case, decision, by)


async def _application(ctx: Context, tx: Tx, case: Case, decision: CaseDecision, by: By) -> None:
    consumer_id, application_id = _whose(case), case.about.application_id
    assert application_id is not None, "a review is of an application"
    limit_minor = int(decision.inputs.get("limit_minor", 0))
    judged = ApplicationDecision(
        "approved" if decision.outcome == "approved" else "rejected", 0, limit_minor, decision.reasons
    )
    await credit.application.review(tx, consumer_id, application_id, judged, ctx.reference.product, by)


async def _cleared(ctx: Context, tx: Tx, case: Case, decision: CaseDecision, by: By) -> None:
    """The order goes through; where it has lapsed meanwhile, whatever the buyer pays within two days does. Up to the
    amount that was looked at: four eyes are asked for by it."""
    consumer_id, order_id = _whose(case), case.about.order_id
    assert order_id is not None, "a payment's review is about an order"
    most_minor = case.amount_minor
    await case_risk.cleared(tx, consumer_id, str(order_id), None, case.case_id, by, most_minor)
    bought = await order.get(tx, consumer_id, order_id)
    if bought.state is not OrderState.AWAITING_PAYMENT or bought.pay_by_at <= by.at:
        until_at = by.at + timedelta(days=_CLEARED_DAYS)
        await case_risk.cleared(tx, consumer_id, str(consumer_id), until_at, case.case_id, by, most_minor)


async def _confirmed(ctx: Context, tx: Tx, case: Case, decision: CaseDecision, by: By) -> None:
    await case_risk.confirmed(tx, _whose(case), str(case.about.order_id), case.case_id, by)


async def _appeal(ctx: Context, tx: Tx, case: Case, decision: CaseDecision, by: By) -> None:
    """Undo what was appealed against."""
    consumer_id, topic, product = _whose(case), case.topic, ctx.reference.product
    limit_minor = int(decision.inputs.get("limit_minor", 0))
    if topic is Topic.RISK_REFUSAL:
        until_at: datetime = by.at + timedelta(days=int(decision.inputs["days"]))
        await case_risk.lift_blocks(tx, consumer_id, by)
        await case_risk.cleared(tx, consumer_id, str(consumer_id), until_at, case.case_id, by)
    elif topic is Topic.CREDIT_REFUSAL:
        assert case.about.application_id is not None, "a credit refusal is an application's"
        approved = ApplicationDecision("approved", 0, limit_minor)
        await credit.application.redecide(tx, consumer_id, case.about.application_id, approved, product, by)
    elif topic is Topic.LIMIT_CUT:
        await _raise(ctx, tx, consumer_id, limit_minor, by)
    elif topic is Topic.LIMIT_FROZEN:
        await _unfreeze_limits(ctx, tx, consumer_id, by)
    elif topic is Topic.LINE_FROZEN:
        await credit.line.unfreeze(tx, consumer_id, by)
    elif topic is Topic.LINE_WITHDRAWN:
        await credit.line.reinstate(tx, consumer_id, by)
    elif topic is Topic.OBSERVATION:
        await credit.line.set_flags(tx, consumer_id, by, observed_until_on=None)
    elif topic is Topic.VIRTUAL_SUSPENDED:
        await credit.line.set_flags(tx, consumer_id, by, virtual_suspended=False)


async def _limit(ctx: Context, tx: Tx, case: Case, decision: CaseDecision, by: By) -> None:
    await _raise(ctx, tx, _whose(case), int(decision.inputs["limit_minor"]), by)


async def _raise(ctx: Context, tx: Tx, consumer_id: UUID, limit_minor: int, by: By) -> None:
    """Raise the general limit; refuses (LIMIT_NOT_RAISED) what would leave it or cut it."""
    limits = await credit.limit.limits_of(tx, consumer_id)
    now_minor = limits[GENERAL_PATH].granted_minor if GENERAL_PATH in limits else 0
    if limit_minor <= now_minor:
        raise Conflict("LIMIT_NOT_RAISED", "the limit is as high already", limit_minor=now_minor)
    await credit.limit.set_granted(tx, consumer_id, GENERAL_PATH, limit_minor, ctx.reference.product, by)


async def _unfreeze_limits(ctx: Context, tx: Tx, consumer_id: UUID, by: By) -> None:
    """Let all of the limits be used again; refuses (STATE_CONFLICT) where nothing is frozen."""
    frozen = [one for one in (await credit.limit.limits_of(tx, consumer_id)).values() if one.frozen_minor]
    if not frozen:
        raise Conflict("STATE_CONFLICT", "no part of a limit is frozen")
    for one in frozen:
        await credit.limit.set_frozen(tx, consumer_id, one.path, 0, by)


async def _complaint(ctx: Context, tx: Tx, case: Case, decision: CaseDecision, by: By) -> None:
    """Known of each seller of the order that was complained about."""
    if case.about.order_id is None:
        return
    bought = await order.get(tx, _whose(case), case.about.order_id)
    for merchant_id in sorted({line.merchant_id for line in bought.lines}):
        await case_risk.complaint_upheld(tx, Subject("merchant", merchant_id), case.case_id, by)
    await raise_epoch(tx, "risk")  # no press goes through on facts from before it


def _whose(case: Case) -> UUID:
    assert case.consumer_id is not None, "it is about somebody"
    return case.consumer_id


_EFFECTS: dict[tuple[Kind, str], Effect] = {
    (Kind.APPLICATION_REVIEW, "approved"): _application,
    (Kind.APPLICATION_REVIEW, "rejected"): _application,
    (Kind.PAYMENT_REVIEW, "cleared"): _cleared,
    (Kind.PAYMENT_REVIEW, "confirmed"): _confirmed,
    (Kind.APPEAL, "upheld"): _appeal,
    (Kind.RAISE_LIMIT, "approved"): _limit,
    (Kind.COMPLAINT, "upheld"): _complaint,
}
