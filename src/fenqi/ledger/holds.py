"""Holds: a limit is reserved while a channel is asked, then committed with its journal or released, exactly once.

States: held → committed | released. A hold covers one or several limits of a consumer, all or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Conflict, NotFound
from fenqi.ledger import locks
from fenqi.ledger.batch import MalformedJournal
from fenqi.ledger.door import post_held
from fenqi.ledger.legs import legs_of
from fenqi.ledger.limit import LimitAccount, judge
from fenqi.ledger.model import Leg, Outcome, PostingItem, Verdict


class Hold(msgspec.Struct, frozen=True):
    """What is to be set aside. `hold_id` is the idempotency key; legs have amounts above zero and distinct paths."""

    hold_id: UUID
    consumer_id: UUID
    legs: tuple[Leg, ...]
    business_on: date
    held_at: datetime
    reference: UUID | None = None


async def reserve(tx: Tx, hold: Hold) -> Verdict:
    """Set the legs' amounts aside: HELD, or why not. They count as used on their day and in their month from now on.

    A repeat with the same legs gets HELD again, `repeated`, whatever became of the hold; with other legs
    KEY_CONFLICT. A refusal is not kept: the same hold may be tried again.
    """
    for lock in (True, False):
        if known := await locks.hold_rows(tx, hold.consumer_id, hold.hold_id, lock=lock):
            same = {path: amount_minor for path, amount_minor, _ in known} == _amounts(hold.legs)
            return Verdict(Outcome.HELD if same else Outcome.KEY_CONFLICT, repeated=True)
        accounts = await locks.accounts(tx, hold.consumer_id, [leg.path for leg in hold.legs])
    if refused := judge(hold.legs, accounts, hold.business_on):
        return refused
    for leg in hold.legs:
        await _set_aside(tx, hold, leg.amount_minor, accounts[leg.path].after(leg.amount_minor, hold.business_on))
    return Verdict(Outcome.HELD)


async def _set_aside(tx: Tx, hold: Hold, amount_minor: int, after: LimitAccount) -> None:
    """Write one leg of a hold; `after` carries the counters as if the amount were posted."""
    row = {
        "bucket": bucket_of(hold.consumer_id),
        "amount": amount_minor,
        **msgspec.structs.asdict(hold),
        **msgspec.structs.asdict(after),
    }
    row.pop("legs")
    await tx.execute(
        "UPDATE limit_account SET reserved_minor = reserved_minor + %(amount)s, day_on = %(day_on)s,"
        " day_minor = %(day_minor)s, month_on = %(month_on)s, month_minor = %(month_minor)s"
        " WHERE bucket = %(bucket)s AND consumer_id = %(consumer_id)s AND path = %(path)s",
        row,
    )
    await tx.execute(
        "INSERT INTO limit_hold"
        " (bucket, consumer_id, hold_id, path, amount_minor, state, reference, business_on, held_at)"
        " VALUES (%(bucket)s, %(consumer_id)s, %(hold_id)s, %(path)s, %(amount)s, 'held', %(reference)s,"
        " %(business_on)s, %(held_at)s)",
        row,
    )


async def commit(tx: Tx, hold_id: UUID, item: PostingItem) -> Verdict:
    """Post the journal that the hold was for and turn what it reserved into balance; the item carries no legs.

    What was held is honoured even where the ceiling has been lowered since; accounts that only count (`cap:…`) are
    held without an entry. A repeat gets the stored verdict.
    Refuses with NotFound, or Conflict HOLD_RELEASED; entries that use the limits otherwise are a bug.
    """
    rows = await _rows(tx, item.consumer_id, hold_id)
    if rows[0][2] == "released":
        raise Conflict("HOLD_RELEASED", str(hold_id))
    if item.legs or _amounts(legs_of(item.entries)) != {
        path: amount_minor for path, amount_minor, _ in rows if not path.startswith("cap:")
    }:
        raise MalformedJournal(f"{item} does not use the limits that hold {hold_id} has set aside")
    verdict = await post_held(tx, item)
    if verdict.posted and not verdict.repeated:
        if rows[0][2] != "held":
            raise Conflict("HOLD_COMMITTED", f"{hold_id} by another journal")
        await locks.accounts(tx, item.consumer_id, [path for path, _, _ in rows])
        for path, amount_minor, _ in rows:
            await tx.execute(
                "UPDATE limit_account SET reserved_minor = reserved_minor - %s, balance_minor = balance_minor + %s"
                " WHERE bucket = %s AND consumer_id = %s AND path = %s",
                [amount_minor, amount_minor, bucket_of(item.consumer_id), item.consumer_id, path],
            )
        await _settle(tx, item.consumer_id, hold_id, "committed", item.posted_at)
    return verdict


async def release(tx: Tx, consumer_id: UUID, hold_id: UUID, at: datetime) -> bool:
    """Give back what the hold has reserved: True, or False where it was given back before.

    The day's and month's counters of the hold's own day and month go down again. Refuses with NotFound, or Conflict
    HOLD_COMMITTED.
    """
    rows = await _rows(tx, consumer_id, hold_id)
    if rows[0][2] == "committed":
        raise Conflict("HOLD_COMMITTED", str(hold_id))
    if rows[0][2] == "released":
        return False
    await locks.accounts(tx, consumer_id, [path for path, _, _ in rows])
    await tx.execute(
        "UPDATE limit_account a SET reserved_minor = a.reserved_minor - h.amount_minor,"
        " day_minor = a.day_minor - CASE WHEN a.day_on = h.business_on THEN h.amount_minor ELSE 0 END,"
        " month_minor = a.month_minor"
        "  - CASE WHEN a.month_on = ledger_month(h.business_on) THEN h.amount_minor ELSE 0 END"
        " FROM limit_hold h WHERE a.bucket = %(bucket)s AND a.consumer_id = %(consumer)s AND h.path = a.path"
        " AND h.bucket = %(bucket)s AND h.consumer_id = %(consumer)s AND h.hold_id = %(hold)s",
        {"bucket": bucket_of(consumer_id), "consumer": consumer_id, "hold": hold_id},
    )
    await _settle(tx, consumer_id, hold_id, "released", at)
    return True


async def is_held(tx: Tx, consumer_id: UUID, hold_id: UUID) -> bool:
    """Whether the hold is there, neither committed nor released."""
    rows = await locks.hold_rows(tx, consumer_id, hold_id)
    return bool(rows) and rows[0][2] == "held"


async def stale(tx: Tx, held_before: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """(consumer id, hold id) of holds set aside before an instant and neither committed nor released since."""
    rows = await tx.execute(
        "SELECT DISTINCT bucket, consumer_id, hold_id FROM limit_hold WHERE state = 'held' AND held_at <= %s"
        " ORDER BY bucket, consumer_id, hold_id LIMIT %s",
        [held_before, limit],
    )
    return [(consumer_id, hold_id) for _, consumer_id, hold_id in await rows.fetchall()]


async def _rows(tx: Tx, consumer_id: UUID, hold_id: UUID) -> list[tuple[str, int, str]]:
    rows = await locks.hold_rows(tx, consumer_id, hold_id)
    if not rows:
        raise NotFound("HOLD_NOT_FOUND", str(hold_id))
    return rows


async def _settle(tx: Tx, consumer_id: UUID, hold_id: UUID, state: str, at: datetime) -> None:
    """The one door by which a hold leaves `held`."""
    cursor = await tx.execute(
        "UPDATE limit_hold SET state = %s, settled_at = %s"
        " WHERE bucket = %s AND consumer_id = %s AND hold_id = %s AND state = 'held'",
        [state, at, bucket_of(consumer_id), consumer_id, hold_id],
    )
    if cursor.rowcount == 0:
        raise AssertionError(f"hold {hold_id} had left `held` while its rows were locked")


def _amounts(legs: Sequence[Leg]) -> dict[str, int]:
    return {leg.path: leg.amount_minor for leg in legs}
