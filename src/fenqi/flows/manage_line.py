"""The line in its owner's hands (lock, close, open again, consents) and in the lender's (freeze, withdraw, limits).

`my_credit` is what both look at: the facts of the line, its limits, and every loan with its schedule.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import credit
from fenqi.credit import ConsentKind, CreditLimit, CreditLine, CreditView, Grant, LineState, Position
from fenqi.flows.context import Context
from fenqi.kernel.by import By, check_why
from fenqi.kernel.clock import business_date


class MyCredit(msgspec.Struct, frozen=True):
    """A consumer's credit on a day: the line with its limits, and the loans, open and past, with their schedules."""

    view: CreditView
    open_loans: tuple[Position, ...]
    past_loans: tuple[Position, ...]


async def my_credit(ctx: Context, consumer_id: UUID) -> MyCredit:
    """Everything about a consumer's credit line."""
    now = ctx.now()
    async with ctx.database.snapshot() as tx:
        view = await credit.credit_facts_of(tx, consumer_id, now, ctx.reference.product)
        loans = await credit.positions(tx, consumer_id, business_date(now))
    still_open = tuple(one for one in loans if one.unpaid)
    return MyCredit(view, still_open, tuple(one for one in loans if not one.unpaid))


async def my_loan(ctx: Context, consumer_id: UUID, loan_id: UUID) -> Position:
    """One loan with its schedule; refuses LOAN_UNKNOWN."""
    async with ctx.database.snapshot() as tx:
        return await credit.position_of(tx, consumer_id, loan_id, business_date(ctx.now()))


async def lock(ctx: Context, consumer_id: UUID) -> CreditLine:
    """The owner locks the line for safety; `prove.unlock` takes the lock off again."""
    by = ctx.by_consumer(consumer_id, "locked the credit line")
    async with ctx.database.transaction() as tx:
        return await credit.line.set_lock(tx, consumer_id, LineState.SELF_LOCKED, by)


async def close(ctx: Context, consumer_id: UUID) -> CreditLine:
    """The owner closes the line; refused with CREDIT_DEBT_OPEN while a loan is open."""
    by = ctx.by_consumer(consumer_id, "closed the credit line")
    async with ctx.database.transaction() as tx:
        return await credit.line.close_by_user(tx, consumer_id, ctx.reference.product, by)


async def reopen(ctx: Context, consumer_id: UUID) -> CreditLine:
    """The owner opens the line again, under the agreement in force."""
    by = ctx.by_consumer(consumer_id, "opened the credit line again")
    async with ctx.database.transaction() as tx:
        return await credit.activation.reopen(tx, consumer_id, ctx.reference.product, by)


async def withdraw_consent(ctx: Context, consumer_id: UUID, kind: ConsentKind) -> CreditLine:
    """The owner withdraws a consent; the line can't be used until it is given again."""
    by = ctx.by_consumer(consumer_id, f"withdrew the consent {kind}")
    async with ctx.database.transaction() as tx:
        return await credit.activation.withdraw_consent(tx, consumer_id, kind, by)


async def freeze(ctx: Context, consumer_id: UUID, by: By, until_at: datetime | None = None) -> CreditLine:
    """The lender stops new use of the line, until an instant or until further notice."""
    check_why(by.why)
    async with ctx.database.transaction() as tx:
        return await credit.line.freeze(tx, consumer_id, by, until_at)


async def unfreeze(ctx: Context, consumer_id: UUID, by: By) -> CreditLine:
    """The lender lets a frozen line be used again."""
    check_why(by.why)
    async with ctx.database.transaction() as tx:
        return await credit.line.unfreeze(tx, consumer_id, by)


async def withdraw_line(ctx: Context, consumer_id: UUID, principal_reasons: tuple[str, ...], by: By) -> CreditLine:
    """The lender withdraws the line, with one to four principal reasons."""
    check_why(by.why)
    async with ctx.database.transaction() as tx:
        return await credit.line.close_by_lender(tx, consumer_id, by, principal_reasons)


async def reinstate(ctx: Context, consumer_id: UUID, by: By) -> CreditLine:
    """After an appeal the lender gives a withdrawn line back."""
    check_why(by.why)
    async with ctx.database.transaction() as tx:
        return await credit.line.reinstate(tx, consumer_id, by)


async def grant_limit(ctx: Context, consumer_id: UUID, grant: Grant, by: By) -> CreditLimit:
    """The lender grants a limit: temporary until a day, or dedicated to scenes or categories."""
    check_why(by.why)
    async with ctx.database.transaction() as tx:
        return await credit.limit.grant(tx, consumer_id, grant, by)


async def set_limit(ctx: Context, consumer_id: UUID, path: str, granted_minor: int, by: By) -> CreditLimit:
    """The lender raises or cuts a limit."""
    check_why(by.why)
    async with ctx.database.transaction() as tx:
        return await credit.limit.set_granted(tx, consumer_id, path, granted_minor, ctx.reference.product, by)


async def freeze_limit(ctx: Context, consumer_id: UUID, path: str, frozen_minor: int, by: By) -> CreditLimit:
    """The lender freezes this much of a limit (nothing: all of it can be used again)."""
    check_why(by.why)
    async with ctx.database.transaction() as tx:
        return await credit.limit.set_frozen(tx, consumer_id, path, frozen_minor, by)


async def expire_limits(ctx: Context, first_bucket: int, last_bucket: int) -> int:
    """The clockwork's part: take the ceilings of lapsed temporary limits of a bucket range away; how many."""
    by = ctx.by_system("expire_limits", "the last day has passed")
    count = 0
    while True:
        async with ctx.database.transaction() as tx:
            expired = await credit.limit.expire(tx, first_bucket, last_bucket, by)
        count += expired
        if expired < credit.limit.EXPIRED_AT_ONCE:
            return count
