"""Limits of a line: granting, raising, cutting, freezing a part, and letting temporary ones lapse.

What a limit is for stands here, how much of it is used in the ledger; the ledger's ceiling is granted less frozen, and
each move of it is a row there. Every change raises the line's version, so that judgements of before are stale.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from fenqi.credit import line as lines
from fenqi.credit import store
from fenqi.credit.model import CreditLimit, LimitKind, bearer_of
from fenqi.credit.product import CreditProduct
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.money import check_amount_minor
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.ledger import limits as ledger_limits
from fenqi.ledger.limits import Change

EXPIRED_AT_ONCE = 1_000


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A limit to be granted. `dedicated_to` names a dedicated limit's purpose, `scenes` and `categories` bound it."""

    kind: LimitKind
    amount_minor: int
    dedicated_to: str = ""
    scenes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    installable: bool = True
    expires_on: date | None = None

    @property
    def path(self) -> str:
        """The limit's ledger account."""
        return bearer_of(self.kind, self.dedicated_to)


async def grant(tx: Tx, consumer_id: UUID, new: Grant, by: By) -> CreditLimit:
    """Grant a limit, or grant a lapsed one again. Refuses LIMIT_EXISTS while one of that path is alive.

    A temporary limit has a last day that is not past; a dedicated one names its purpose and what it is for.
    """
    today_on = business_date(by.at)
    _check(new, today_on)
    line = await lines.lock(tx, consumer_id, by.at)
    earlier = (await store.limit.select_limits(tx, consumer_id)).get(new.path)
    if earlier is not None and not _is_lapsed(earlier, today_on):
        raise Conflict("LIMIT_EXISTS", "there is such a limit already", path=new.path)
    limit = CreditLimit(
        bucket=bucket_of(consumer_id), consumer_id=consumer_id, path=new.path, kind=new.kind,
        granted_minor=new.amount_minor, scenes=new.scenes, categories=new.categories,
        installable=new.installable, expires_on=new.expires_on,
    )  # fmt: skip
    change = _change(by)
    await store.limit.upsert_limit(tx, limit)
    if earlier is None:
        await ledger_limits.open_account(tx, consumer_id, limit.path, limit.ceiling_minor, change)
    else:
        await ledger_limits.set_ceiling(tx, consumer_id, limit.path, limit.ceiling_minor, change)
    await lines.touch(tx, line, by, path=limit.path, granted_minor=limit.granted_minor)
    return limit


async def set_granted(
    tx: Tx, consumer_id: UUID, path: str, granted_minor: int, product: CreditProduct, by: By
) -> CreditLimit:
    """Raise a limit or cut it, to nothing at the least; a cut may go below what is used, and is told for a while."""
    if granted_minor != 0:
        check_amount_minor(granted_minor)
    limit = await _locked(tx, consumer_id, path, by.at)
    changed: dict[str, object] = {
        "granted_minor": granted_minor,
        "frozen_minor": min(limit.frozen_minor, granted_minor),
    }
    if granted_minor < limit.granted_minor:
        before = limit.reduced_from_minor if _is_told(limit, business_date(by.at)) else None
        changed["reduced_from_minor"] = before or limit.granted_minor
        changed["reduced_until_on"] = business_date(by.at) + timedelta(days=product.notice_days)
    elif limit.reduced_from_minor is not None and granted_minor >= limit.reduced_from_minor:
        changed |= {"reduced_from_minor": None, "reduced_until_on": None}
    return await _rewrite(tx, limit, by, changed)


async def set_frozen(tx: Tx, consumer_id: UUID, path: str, frozen_minor: int, by: By) -> CreditLimit:
    """Freeze this much of a limit (nothing: none of it is frozen any more). Refuses more than was granted."""
    limit = await _locked(tx, consumer_id, path, by.at)
    if not 0 <= frozen_minor <= limit.granted_minor:
        raise Refusal("AMOUNT_INVALID", "only what was granted can be frozen")
    return await _rewrite(tx, limit, by, {"frozen_minor": frozen_minor})


async def expire(tx: Tx, first_bucket: int, last_bucket: int, by: By, most: int = EXPIRED_AT_ONCE) -> int:
    """Take the ceilings of temporary limits away whose last day has passed, for a range of buckets; how many.

    Facts and gates know the last day by themselves; this brings the ledger to it. Call again until it gives less
    than `most`.
    """
    closed = await store.limit.close_expired(tx, first_bucket, last_bucket, business_date(by.at), most)
    for consumer_id, path in sorted(closed, key=lambda one: (bucket_of(one[0]), one[0], one[1])):
        await ledger_limits.set_ceiling(tx, consumer_id, path, 0, _change(by))
    return len(closed)


async def limits_of(tx: Tx, consumer_id: UUID) -> dict[str, CreditLimit]:
    """A consumer's limits by path, lapsed ones included."""
    return await store.limit.select_limits(tx, consumer_id)


async def _locked(tx: Tx, consumer_id: UUID, path: str, at: datetime) -> CreditLimit:
    await lines.lock(tx, consumer_id, at)
    limit = (await store.limit.select_limits(tx, consumer_id)).get(path)
    if limit is None:
        raise NotFound("LIMIT_NOT_FOUND", "there is no such limit", path=path)
    if _is_lapsed(limit, business_date(at)):
        raise Conflict("LIMIT_TEMPORARY_EXPIRED", "the limit has lapsed", path=path)
    return limit


async def _rewrite(tx: Tx, limit: CreditLimit, by: By, changed: dict[str, object]) -> CreditLimit:
    """Write the limit with what changed, move the ledger's ceiling, raise the line's version."""
    after = msgspec.structs.replace(limit, **changed)
    await store.limit.upsert_limit(tx, after)
    await ledger_limits.set_ceiling(tx, limit.consumer_id, limit.path, after.ceiling_minor, _change(by))
    line = await lines.lock(tx, limit.consumer_id, by.at)
    await lines.touch(tx, line, by, path=limit.path, **changed)
    return after


def _change(by: By) -> Change:
    return Change(by.actor, by.at, by.why)


def _is_lapsed(limit: CreditLimit, today_on: date) -> bool:
    return limit.closed_on is not None or (limit.expires_on is not None and limit.expires_on < today_on)


def _is_told(limit: CreditLimit, today_on: date) -> bool:
    return limit.reduced_until_on is not None and today_on <= limit.reduced_until_on


def _check(grant: Grant, today_on: date) -> None:
    check_amount_minor(grant.amount_minor)
    if (grant.kind is LimitKind.TEMPORARY) != (grant.expires_on is not None):
        raise Refusal("LIMIT_INVALID", "a temporary limit has a last day, another has none")
    if grant.expires_on is not None and grant.expires_on < today_on:
        raise Refusal("LIMIT_INVALID", "the last day is past")
    if (grant.kind is LimitKind.DEDICATED) != bool(grant.dedicated_to):
        raise Refusal("LIMIT_INVALID", "a dedicated limit names its purpose, another has none")
    if grant.kind is LimitKind.DEDICATED and not (grant.scenes or grant.categories):
        raise Refusal("LIMIT_INVALID", "a dedicated limit is for scenes or categories")
