"""The line's own doors: locks, freezes, closing, reopening, and the flags that suspend it. One row of history each.

Everything goes through `change`, which moves the state by its table, raises the version and keeps who, when and why.
Rows are locked in this order: the line, then loans by id, then the ledger's limit accounts by path.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from fenqi.credit import store
from fenqi.credit.model import LINE_MOVES, LOCKS, CreditLine, LineMove, LineState
from fenqi.credit.product import CreditProduct
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.kernel.state import move

_CLOCK = "system:clock"

_ENDING = LOCKS | {LineState.FROZEN}

_FLAGS = frozenset(
    {
        "bill_day",
        "loans_cap",
        "instalment_ceiling_minor",
        "observed_until_on",
        "overdue_with_others",
        "dispute_case",
        "in_collections",
        "hardship_until_on",
        "virtual_suspended",
        "opened_on_other_account",
        "first_loan_on",
    }
)


def nothing_yet(consumer_id: UUID, at: datetime) -> CreditLine:
    """The line of somebody who has none: what the first application starts from."""
    return CreditLine(
        bucket=bucket_of(consumer_id), consumer_id=consumer_id, state=LineState.NOT_OPENED, version=0, opened_at=at
    )


async def read(tx: Tx, consumer_id: UUID) -> CreditLine | None:
    """The consumer's line, or None where none was ever opened."""
    return await store.line.select_line(tx, consumer_id)


async def lock(tx: Tx, consumer_id: UUID, at: datetime) -> CreditLine:
    """The line, kept from being changed by others until the transaction's end. Refuses where there is none.

    A lock or freeze whose time is over is taken off first.
    """
    line = await store.line.select_line(tx, consumer_id, lock="update")
    if line is None:
        raise NotFound("CREDIT_NOT_OPENED", "there is no credit line")
    if state_at(line, at) is line.state:
        return line
    by = By(_CLOCK, "its time is over", at)
    return await change(tx, line, by, LineState.ACTIVE, locked_until_at=None, frozen_until_at=None)


def state_at(line: CreditLine, at: datetime) -> LineState:
    """The state that holds at this instant: a lock or freeze that has an end is over from that instant on."""
    until_at = line.frozen_until_at if line.state is LineState.FROZEN else line.locked_until_at
    over = line.state in _ENDING and until_at is not None and until_at <= at
    return LineState.ACTIVE if over else line.state


async def history(tx: Tx, consumer_id: UUID) -> list[LineMove]:
    """Every change of the line, oldest first."""
    return await store.line.select_moves(tx, consumer_id)


async def change(tx: Tx, line: CreditLine, by: By, to: LineState | None = None, **changed: Any) -> CreditLine:
    """Move the line to `to` (None: it stays) with these fields changed; the one door to both. Returns it as it is now.

    Refuses a move that the table of states doesn't know with Conflict, and a line that has changed since with Stale.
    """
    state = line.state if to is None else move(LINE_MOVES, line.state, to)
    after = msgspec.structs.replace(line, state=state, version=line.version + 1, **changed)
    if line.version == 0:
        await store.line.insert_line(tx, after)
    else:
        await store.line.update_line(tx, line, after)
    await store.line.insert_move(tx, LineMove(line.consumer_id, after.version, line.state, state, changed, *by))
    return after


async def touch(tx: Tx, line: CreditLine, by: By, **noted: Any) -> CreditLine:
    """Raise the version because something beside the row has changed that facts depend on; `noted` says what."""
    after = msgspec.structs.replace(line, version=line.version + 1)
    await store.line.update_line(tx, line, after)
    await store.line.insert_move(tx, LineMove(line.consumer_id, after.version, line.state, line.state, noted, *by))
    return after


async def set_lock(
    tx: Tx, consumer_id: UUID, lock_state: LineState, by: By, until_at: datetime | None = None
) -> CreditLine:
    """Lock an active line: by its owner, for long disuse, or after wrong passwords (with an end)."""
    if lock_state not in LOCKS:
        raise Refusal("LOCK_UNKNOWN", f"{lock_state!r} is not a lock")
    return await change(tx, await lock(tx, consumer_id, by.at), by, lock_state, locked_until_at=until_at)


async def unlock(tx: Tx, consumer_id: UUID, lock_state: str, by: By) -> CreditLine:
    """Take this lock off; the caller has checked who asks. Refuses with Conflict where another state holds."""
    line = await lock(tx, consumer_id, by.at)
    if line.state not in LOCKS or line.state != lock_state:
        raise Conflict("STATE_CONFLICT", f"the line is not {lock_state}", state=str(line.state))
    return await change(tx, line, by, LineState.ACTIVE, locked_until_at=None)


async def freeze(tx: Tx, consumer_id: UUID, by: By, until_at: datetime | None = None) -> CreditLine:
    """The lender stops new use of an active or locked line, for a time or until further notice."""
    line = await lock(tx, consumer_id, by.at)
    return await change(tx, line, by, LineState.FROZEN, frozen_until_at=until_at, locked_until_at=None)


async def unfreeze(tx: Tx, consumer_id: UUID, by: By) -> CreditLine:
    """The lender lets a frozen line be used again."""
    line = await lock(tx, consumer_id, by.at)
    if line.state is not LineState.FROZEN:
        raise Conflict("STATE_CONFLICT", "the line is not frozen", state=str(line.state))
    return await change(tx, line, by, LineState.ACTIVE, frozen_until_at=None)


async def close_by_user(tx: Tx, consumer_id: UUID, product: CreditProduct, by: By) -> CreditLine:
    """The owner closes the line; refused with CREDIT_DEBT_OPEN while a loan is open."""
    line = await lock(tx, consumer_id, by.at)
    if await store.loan.select_loans(tx, consumer_id, active=True):
        raise Conflict("CREDIT_DEBT_OPEN", "a line with open loans can't be closed by its owner")
    wait = product.closed_cooling_off_days
    from_on = business_date(by.at) + timedelta(days=wait) if wait else None
    return await change(tx, line, by, LineState.CLOSED_BY_USER, reapply_from_on=from_on, locked_until_at=None)


async def close_by_lender(tx: Tx, consumer_id: UUID, by: By, principal_reasons: tuple[str, ...] = ()) -> CreditLine:
    """The lender withdraws the line, with its principal reasons (at most four)."""
    line = await lock(tx, consumer_id, by.at)
    return await change(
        tx, line, by, LineState.CLOSED_BY_LENDER, principal_reasons=principal_reasons[:4],
        locked_until_at=None, frozen_until_at=None,
    )  # fmt: skip


async def reinstate(tx: Tx, consumer_id: UUID, by: By) -> CreditLine:
    """After an appeal or a review the lender gives a withdrawn line back."""
    line = await lock(tx, consumer_id, by.at)
    if line.state is not LineState.CLOSED_BY_LENDER:
        raise Conflict("STATE_CONFLICT", "the line is not withdrawn", state=str(line.state))
    return await change(tx, line, by, LineState.ACTIVE, principal_reasons=())


async def set_flags(tx: Tx, consumer_id: UUID, by: By, **flags: Any) -> CreditLine:
    """Set what suspends or bounds a line in any state: dispute, collections, hardship, observation, caps; and what is
    known of it from another system."""
    unknown = flags.keys() - _FLAGS
    if unknown:
        raise ValueError(f"{sorted(unknown)} are no flags of a credit line")
    return await change(tx, await lock(tx, consumer_id, by.at), by, None, **flags)


def has_consents(line: CreditLine, product: CreditProduct) -> bool:
    """Whether each consent that the product needs is given, in any version (a newer one is asked for at signing)."""
    given = {text.partition("@")[0] for text in line.consents}
    return all(str(kind) in given for kind, _ in product.consent_versions)


def refuse_cooling_off(line: CreditLine, today_on: date) -> None:
    """Refuse with CREDIT_COOLING_OFF while the day from which a person may ask again is ahead."""
    if line.reapply_from_on is not None and today_on < line.reapply_from_on:
        raise Conflict("CREDIT_COOLING_OFF", "it is too early to ask again", from_on=line.reapply_from_on.isoformat())
