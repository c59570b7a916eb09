"""Repaying from the money account: any amount, an instalment, what is overdue, loans wholly, or to free a limit.

Each verb takes a key: a repeat with the same request gets the first answer, with another one IDEMPOTENCY_KEY_REUSED.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import credit, customer
from fenqi.credit import FreeLimit, PayAmount, PayInstalment, PayOverdue, Receipt, RepaymentRequest, Settle
from fenqi.database.idempotency import Answer, Attempt, once
from fenqi.database.pool import Tx
from fenqi.flows import risk_events
from fenqi.flows.context import Context
from fenqi.kernel.refusal import Conflict

_VERB = "repay"


class RepaidLoan(msgspec.Struct, frozen=True):
    """What one loan got, and what is left of it, in fen."""

    loan_id: UUID
    journal_id: UUID
    principal_minor: int
    fee_minor: int
    interest_minor: int
    penalty_minor: int
    let_off_minor: int
    outstanding_minor: int
    state: str


class Repaid(msgspec.Struct, frozen=True):
    """A repayment carried out: what it took from the money account, and what came back to each limit."""

    repayment_id: UUID
    total_minor: int
    let_off_minor: int
    freed: dict[str, int]
    loans: tuple[RepaidLoan, ...]
    observed_until_on: str | None = None


async def pay_amount(
    ctx: Context, consumer_id: UUID, key: UUID, amount_minor: int, loan_id: UUID | None = None
) -> Repaid:
    """Pay this much of one loan, or of all that is owed, what fell due first in front."""
    return await repay(ctx, consumer_id, key, PayAmount(amount_minor, loan_id))


async def pay_instalment(ctx: Context, consumer_id: UUID, key: UUID, loan_id: UUID, n: int | None = None) -> Repaid:
    """Pay what is left of a loan's oldest unpaid instalment (`n`, when given, must be that one)."""
    return await repay(ctx, consumer_id, key, PayInstalment(loan_id, n))


async def pay_overdue(ctx: Context, consumer_id: UUID, key: UUID, at_most_minor: int | None = None) -> Repaid:
    """Pay everything that is overdue."""
    return await repay(ctx, consumer_id, key, PayOverdue(at_most_minor))


async def settle(
    ctx: Context, consumer_id: UUID, key: UUID, loan_id: UUID | None = None, at_most_minor: int | None = None
) -> Repaid:
    """Settle one loan early and wholly, or all of them."""
    return await repay(ctx, consumer_id, key, Settle(loan_id, at_most_minor))


async def free_limit(
    ctx: Context, consumer_id: UUID, key: UUID, limit_path: str, amount_minor: int, at_most_minor: int | None = None
) -> Repaid:
    """Repay as much principal of this limit, with the costs that go with it."""
    return await repay(ctx, consumer_id, key, FreeLimit(amount_minor, limit_path, at_most_minor))


async def repay(ctx: Context, consumer_id: UUID, key: UUID, request: RepaymentRequest) -> Repaid:
    """Carry a repayment out in one transaction; `key` is its id and the id of its first journal.

    Refuses MONEY_ACCOUNT_NOT_OPEN, MONEY_ACCOUNT_FROZEN, BALANCE_INSUFFICIENT, and what `plan_repayment` refuses.
    """
    by = ctx.by_consumer(consumer_id, "repaid from the money account")

    async def effect(tx: Tx) -> Answer:
        await _refuse_closed(tx, consumer_id)
        receipt = await credit.repay(tx, consumer_id, key, request, ctx.reference.product, by)
        await risk_events.loans_moved(tx, consumer_id, by.at)
        return Answer(200, msgspec.json.encode(_repaid(key, receipt)))

    attempt = Attempt.of(consumer_id, str(key), _VERB, msgspec.json.encode(request))
    answer = await once(ctx.database, attempt, by.at, effect)
    return msgspec.json.decode(answer.body, type=Repaid)


async def preview(ctx: Context, consumer_id: UUID, request: RepaymentRequest) -> credit.RepaymentPlan:
    """What a repayment would do now, loan by loan, or the refusal that it would meet; writes nothing."""
    async with ctx.database.snapshot() as tx:
        return await credit.preview_repayment(tx, consumer_id, request, ctx.now())


async def _refuse_closed(tx: Tx, consumer_id: UUID) -> None:
    consumer = await customer.get(tx, consumer_id)
    if consumer.money_account is customer.MoneyAccount.NONE:
        raise Conflict("MONEY_ACCOUNT_NOT_OPEN", "open the money account first")
    if consumer.money_account is customer.MoneyAccount.FROZEN:
        raise Conflict("MONEY_ACCOUNT_FROZEN", "the money account is frozen")


def _repaid(key: UUID, receipt: Receipt) -> Repaid:
    planned = receipt.plan
    loans = tuple(
        RepaidLoan(
            part.loan_id, journal_id, part.paid.principal_minor, part.paid.fee_minor, part.paid.interest_minor,
            part.paid.penalty_minor, part.let_off.total_minor, loan.outstanding_minor, str(loan.state),
        )
        for part, journal_id, loan in zip(planned.parts, receipt.journal_ids, receipt.loans, strict=True)
    )  # fmt: skip
    return Repaid(key, planned.total_minor, planned.let_off_minor, planned.freed, loans, receipt.observed_until_on)
