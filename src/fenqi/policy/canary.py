"""A version that decides for a share of the consumers only: who is in it, how it begins, and how it ends.

One at a time. It ends by being promoted to everybody, by being ended, or by itself at its last instant.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.kernel.state import move
from fenqi.policy.lint_table import Known
from fenqi.policy.model import MOVES, PolicyState, PolicyVersion, Share
from fenqi.policy.publish import check, check_revision, into_force, locked, of_other, whole
from fenqi.policy.store import versions as store

MILLION = 1_000_000
LONGEST = timedelta(days=90)
_S = PolicyState


def is_in_share(number: str, consumer_id: UUID, share_ppm: int) -> bool:
    """Whether a version's canary decides for this consumer: always the same answer for the same share, and a larger
    share keeps everybody that a smaller one had. Each version draws other people: its number is in the hash."""
    digest = hashlib.blake2b(consumer_id.bytes, digest_size=8, key=number.encode()).digest()
    return int.from_bytes(digest, "big") % MILLION < share_ppm


async def begin(tx: Tx, policy_id: UUID, revision: int, share: Share, known: Known, by: By) -> PolicyVersion:
    """Approve a submitted version for a share of the consumers; by somebody else than its maker.

    A canary whose last instant has passed makes room. Refuses what `publish.publish` refuses, SHARE_INVALID, and
    CANARY_RUNNING when there is another one.
    """
    await raise_epoch(tx, "policy")
    version = await of_other(tx, policy_id, by)
    by = By(by.actor, check_why(by.why), by.at)
    move(MOVES, version.state, _S.CANARY)
    check_revision(version, revision)
    _check_share(share, by.at)
    check(version.document, known)
    there = await store.canary(tx)
    if there is not None:
        await _make_room(tx, there[0], by)
    await store.begin_canary(tx, policy_id, by, share)
    await store.insert_history(tx, policy_id, "begin_canary", by)
    return msgspec.structs.replace(version, state=_S.CANARY, checker=by.actor, published_at=by.at, share=share)


async def promote(
    tx: Tx, policy_id: UUID, revision: int, effective_at: datetime, known: Known, by: By
) -> PolicyVersion:
    """Let a canary decide for everybody from `effective_at` on; until then it goes back to nobody's share.

    By somebody else than its maker. Refuses what `publish.publish` refuses, STATE_CONFLICT for what is no canary.
    """
    await raise_epoch(tx, "policy")
    version = await of_other(tx, policy_id, by)
    if version.state is not _S.CANARY:
        raise Conflict("STATE_CONFLICT", f"{version.state} is no canary", state=str(version.state))
    return await into_force(tx, version, revision, effective_at, known, by, "promote")


async def end(tx: Tx, policy_id: UUID, by: By) -> PolicyVersion:
    """End a canary: the version in force decides for everybody again. Refuses POLICY_UNKNOWN, STATE_CONFLICT."""
    await raise_epoch(tx, "policy")
    version = await locked(tx, policy_id)
    if version.state is not _S.CANARY:
        raise Conflict("STATE_CONFLICT", f"{version.state} is no canary", state=str(version.state))
    return await _end(tx, version, By(by.actor, check_why(by.why), by.at))


async def running(tx: Tx, at: datetime) -> PolicyVersion | None:
    """The version that decides for a share of the consumers at this instant, if there is one."""
    found = await store.canary(tx)
    if found is None:
        return None
    share = found[0].share
    assert share is not None, "a canary has its share"
    return whole(*found) if share.from_at <= at < share.until_at else None


async def _end(tx: Tx, version: PolicyVersion, by: By) -> PolicyVersion:
    await store.end(tx, version.policy_id, _S.CANARY, _S.WITHDRAWN, by.at)
    await store.insert_history(tx, version.policy_id, "end_canary", by)
    return msgspec.structs.replace(version, state=_S.WITHDRAWN, ended_at=by.at)


async def _make_room(tx: Tx, there: PolicyVersion, by: By) -> None:
    assert there.share is not None, "a canary has its share"
    if by.at < there.share.until_at:
        raise Conflict("CANARY_RUNNING", f"{there.number} is a canary until {there.share.until_at.isoformat()}")
    await locked(tx, there.policy_id)
    await _end(tx, there, By("system:policy", "its time was over", by.at))


def _check_share(share: Share, now: datetime) -> None:
    if not 1 <= share.share_ppm < MILLION:
        raise Refusal("SHARE_INVALID", "more than nobody and less than everybody, in millionths")
    if share.from_at < now or not share.from_at < share.until_at <= share.from_at + LONGEST:
        raise Refusal("SHARE_INVALID", f"it begins now or later, and lasts {LONGEST.days} days at most")
