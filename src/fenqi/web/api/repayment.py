"""Repayments from the money account: an amount, an instalment, what is overdue, loans wholly, or to free a limit."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi.credit import Parts, RepaymentPlan, RepaymentRequest
from fenqi.flows import repay
from fenqi.flows.repay import Repaid
from fenqi.web.api.resource import Call, resource


class PlannedLoan(msgspec.Struct, frozen=True):
    """What one loan would get, and what would be left of it, in minor units."""

    loan_id: UUID
    paid: Parts
    let_off: Parts
    outstanding_minor: int


class PlannedRepayment(msgspec.Struct, frozen=True):
    """What a repayment would take from the money account, spare, and bring back to each limit."""

    total_minor: int
    let_off_minor: int
    freed: dict[str, int]
    loans: tuple[PlannedLoan, ...]


def _planned(plan: RepaymentPlan) -> PlannedRepayment:
    loans = (PlannedLoan(p.loan_id, p.paid, p.let_off, p.state.outstanding.total_minor) for p in plan.parts)
    return PlannedRepayment(plan.total_minor, plan.let_off_minor, plan.freed, tuple(loans))


@resource(
    "POST", "/v1/credit/repayments:preview", body=RepaymentRequest, answer=PlannedRepayment, problems=(404, 409)
)  # fmt: skip
async def preview(call: Call) -> PlannedRepayment:
    """What a repayment would do now, loan by loan, or the refusal that it would meet; nothing is written."""
    return _planned(await repay.preview(call.context, call.actor.consumer_id, call.body))


@resource("POST", "/v1/credit/repayments", body=RepaymentRequest, answer=Repaid, keyed=True, problems=(404,))
async def create(call: Call) -> Repaid:
    """Repay from the money account; `at_most_minor` refuses it should it have become dearer than what was shown."""
    return await repay.repay(call.context, call.actor.consumer_id, call.id_of_key("repayment"), call.body)
