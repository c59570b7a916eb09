"""A policy version's way as staff go it: every verb checks the role, keeps the reason in the audit log, and is done.

The room of policy says what may follow what; here who may do it is looked up in the same transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from fenqi import catalog, merchant, staff
from fenqi import policy as policies
from fenqi.database.pool import Tx
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.policy import Known, PolicyDocument, PolicyVersion, Share
from fenqi.policy.table import Table
from fenqi.staff import Action


class Step(NamedTuple):
    """A verb under way: its transaction, and who does it, why, and when."""

    tx: Tx
    by: By


@asynccontextmanager
async def step(ctx: Context, staff_id: UUID, action: Action, subject: str, why: str) -> AsyncIterator[Step]:
    """One transaction in which a member of staff does `action`, with its reason kept.

    Refuses NOT_ALLOWED and WHY_REQUIRED, and what the verb inside refuses.
    """
    async with ctx.database.transaction() as tx:
        member, now = await staff.get(tx, staff_id), ctx.now()
        await staff.audit(tx, member, action, subject, why, now)
        yield Step(tx, By(member.actor, why, now))


async def known(tx: Tx) -> Known:
    """The codes that a policy may name."""
    sellers = await merchant.sellers(tx)
    return Known((await catalog.tree(tx)).codes, {seller.merchant.number for seller in sellers.values()})


async def draft(
    ctx: Context,
    staff_id: UUID,
    policy_id: UUID,
    number: str,
    why: str,
    *,
    document: PolicyDocument | None = None,
    based_on: str = "",
) -> PolicyVersion:
    """A new draft: a copy of the version `based_on` (of the one in force where nothing is said), or this document.

    Refuses POLICY_NUMBER_INVALID, POLICY_EXISTS, POLICY_UNKNOWN.
    """
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"policy:{policy_id}", why) as (tx, by):
        if based_on or document is None:
            base = await policies.by_number(tx, based_on) if based_on else await policies.in_force(tx, by.at)
            document, based_on = document or base.document, base.number
        return await policies.draft(tx, policy_id, number, document, by, based_on=based_on)


async def save(
    ctx: Context, staff_id: UUID, policy_id: UUID, revision: int, document: PolicyDocument, why: str
) -> PolicyVersion:
    """Save a draft, by its maker who has seen `revision`; faults are kept, they only can't be handed in.

    Refuses NOT_THE_MAKER, STATE_CONFLICT, POLICY_CHANGED (`revision` is the newest).
    """
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.save(tx, policy_id, revision, document, by)


async def save_tables(
    ctx: Context, staff_id: UUID, policy_id: UUID, revision: int, tables: Sequence[Table], why: str
) -> PolicyVersion:
    """Save a draft with these of its tables put in place of what they were; refuses what `save` refuses."""
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"policy:{policy_id}", why) as (tx, by):
        version = await policies.get(tx, policy_id)
        document = with_tables(version.document, tables)
        return await policies.save(tx, policy_id, revision, document, by)


def with_tables(document: PolicyDocument, tables: Sequence[Table]) -> PolicyDocument:
    """The document with these tables in place of those of the same keys; others follow at the end."""
    new = {table.key: table for table in tables}
    kept = tuple(new.pop(table.key, table) for table in document.tables)
    return replace(document, tables=(*kept, *new.values()))


async def submit(ctx: Context, staff_id: UUID, policy_id: UUID, revision: int, why: str) -> PolicyVersion:
    """Hand a draft in for review. Refuses POLICY_INVALID (`faults`), NOT_THE_MAKER, STATE_CONFLICT, POLICY_CHANGED."""
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.submit(tx, policy_id, revision, await known(tx), by)


async def recall(ctx: Context, staff_id: UUID, policy_id: UUID, why: str) -> PolicyVersion:
    """Take a version out of review, to go on editing, by its maker. Refuses NOT_THE_MAKER, STATE_CONFLICT."""
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.recall(tx, policy_id, by)


async def note(ctx: Context, staff_id: UUID, policy_id: UUID, why: str) -> None:
    """Keep a remark on a version. Refuses POLICY_UNKNOWN."""
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"policy:{policy_id}", why) as (tx, by):
        await policies.note(tx, policy_id, by)


async def approve(
    ctx: Context, staff_id: UUID, policy_id: UUID, revision: int, effective_at: datetime | None, why: str
) -> PolicyVersion:
    """Approve a version from an instant on (None: at once), by somebody else than its maker.

    Refuses SAME_PERSON, STATE_CONFLICT, POLICY_CHANGED, EFFECTIVE_INVALID, POLICY_INVALID.
    """
    async with step(ctx, staff_id, Action.PUBLISH_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.publish(tx, policy_id, revision, effective_at or by.at, await known(tx), by)


async def reject(ctx: Context, staff_id: UUID, policy_id: UUID, revision: int, why: str) -> PolicyVersion:
    """Send a version back to its maker. Refuses SAME_PERSON, STATE_CONFLICT, POLICY_CHANGED."""
    async with step(ctx, staff_id, Action.PUBLISH_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.reject(tx, policy_id, revision, by)


async def withdraw(ctx: Context, staff_id: UUID, policy_id: UUID, why: str) -> PolicyVersion:
    """Give up a version that isn't in force. Refuses NOT_THE_MAKER (of one that isn't approved), STATE_CONFLICT."""
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.withdraw(tx, policy_id, by)


async def roll_back(ctx: Context, staff_id: UUID, number: str, why: str) -> PolicyVersion:
    """Take the version in force, `number`, out of force at once; the one that decides again. One step, one person.

    Versions that wait still take over at their instants. Refuses POLICY_CHANGED, POLICY_NONE_BEFORE.
    """
    async with step(ctx, staff_id, Action.PUBLISH_POLICY, f"policy:{number}", why) as (tx, by):
        return await policies.roll_back(tx, number, by)


async def begin_canary(
    ctx: Context, staff_id: UUID, policy_id: UUID, revision: int, share: Share, why: str
) -> PolicyVersion:
    """Approve a version for a share of the consumers, by somebody else than its maker.

    Refuses what `approve` refuses, SHARE_INVALID, CANARY_RUNNING.
    """
    async with step(ctx, staff_id, Action.PUBLISH_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.begin_canary(tx, policy_id, revision, share, await known(tx), by)


async def promote(
    ctx: Context, staff_id: UUID, policy_id: UUID, revision: int, effective_at: datetime | None, why: str
) -> PolicyVersion:
    """Let a canary decide for everybody from an instant on (None: at once). Refuses what `approve` refuses."""
    async with step(ctx, staff_id, Action.PUBLISH_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.promote(tx, policy_id, revision, effective_at or by.at, await known(tx), by)


async def end_canary(ctx: Context, staff_id: UUID, policy_id: UUID, why: str) -> PolicyVersion:
    """End a canary: the version in force decides for everybody again. Refuses STATE_CONFLICT."""
    async with step(ctx, staff_id, Action.PUBLISH_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.end_canary(tx, policy_id, by)
