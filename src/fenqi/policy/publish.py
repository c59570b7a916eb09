"""A policy version's way: drafted and edited by its maker, submitted, approved by somebody else from an instant on.

Each step locks the version's row; steps that change what decides raise the epoch of kind `policy` first, so that they
come one after another. A document that has decided anything is never changed again.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, Forbidden, NotFound, Refusal, Stale
from fenqi.kernel.state import move
from fenqi.policy.lint import faults
from fenqi.policy.lint_table import Known
from fenqi.policy.model import MOVES, HistoryRow, PolicyDocument, PolicyState, PolicyVersion, Saved
from fenqi.policy.store import versions as store

_NUMBER_MAX = 40
_S = PolicyState


async def draft(
    tx: Tx, policy_id: UUID, number: str, document: PolicyDocument, by: By, *, based_on: str = ""
) -> PolicyVersion:
    """Keep a new draft, faults and all; a repeat with the same id and document returns it.

    Refuses POLICY_NUMBER_INVALID, and POLICY_EXISTS for another version under the id or number.
    """
    by = By(by.actor, check_why(by.why), by.at)
    if not 1 <= len(number) <= _NUMBER_MAX or not number[0].isalnum():
        raise Refusal("POLICY_NUMBER_INVALID", "1 to 40 letters, digits, . _ -, a letter or digit first")
    if not all(c.isascii() and (c.isalnum() or c in "._-") for c in number):
        raise Refusal("POLICY_NUMBER_INVALID", "letters, digits, . _ -")
    new = PolicyVersion(policy_id, number, _S.DRAFT, document, by.actor, by.at, None, None, None, based_on=based_on)
    hashed = document_hash(document)
    if not await store.insert_draft(tx, new, hashed):
        there = await store.version(tx, policy_id)
        if there is None or there[0].number != number or there[1] != hashed or there[0].maker != by.actor:
            raise Conflict("POLICY_EXISTS", "another version has this id or number")
        return there[0]
    await store.insert_save(tx, policy_id, 1, document, hashed, by)
    await store.insert_history(tx, policy_id, "draft", by)
    return new


async def save(tx: Tx, policy_id: UUID, revision: int, document: PolicyDocument, by: By) -> PolicyVersion:
    """Another document for a draft, or for one that was refused, by its maker who has seen `revision`.

    Every save stays; saving what is there already changes nothing. Refuses POLICY_UNKNOWN, NOT_THE_MAKER,
    STATE_CONFLICT, POLICY_CHANGED.
    """
    by = By(by.actor, check_why(by.why), by.at)
    version = await _of_maker(tx, policy_id, by)
    hashed = document_hash(document)
    same = hashed == document_hash(version.document)
    if version.state is not _S.DRAFT:
        move(MOVES, version.state, _S.DRAFT)
        if version.state is not _S.REJECTED:
            raise Conflict("STATE_CONFLICT", "recall it first: it is being reviewed", state=str(version.state))
    elif same and version.revision in (revision, revision + 1):
        return version
    check_revision(version, revision)
    await store.update_draft(tx, policy_id, revision + 1, document, hashed)
    await store.insert_save(tx, policy_id, revision + 1, document, hashed, by)
    await store.insert_history(tx, policy_id, "save", by)
    return msgspec.structs.replace(version, state=_S.DRAFT, revision=revision + 1, document=document)


async def submit(tx: Tx, policy_id: UUID, revision: int, known: Known, by: By) -> PolicyVersion:
    """Hand a draft in for review. Refuses POLICY_INVALID (with `faults`) and what `save` refuses."""
    by = By(by.actor, check_why(by.why), by.at)
    version = await _of_maker(tx, policy_id, by)
    move(MOVES, version.state, _S.SUBMITTED)
    check_revision(version, revision)
    check(version.document, known)
    return await _moved(tx, version, _S.SUBMITTED, "submit", by)


async def recall(tx: Tx, policy_id: UUID, by: By) -> PolicyVersion:
    """Take a version back out of review, to go on editing. Refuses POLICY_UNKNOWN, NOT_THE_MAKER, STATE_CONFLICT."""
    by = By(by.actor, check_why(by.why), by.at)
    version = await _of_maker(tx, policy_id, by)
    if version.state is not _S.SUBMITTED:
        raise Conflict("STATE_CONFLICT", f"{version.state} is not under review", state=str(version.state))
    return await _moved(tx, version, _S.DRAFT, "recall", by)


async def reject(tx: Tx, policy_id: UUID, revision: int, by: By) -> PolicyVersion:
    """Send a version back to its maker, with the reason. Refuses what `publish` refuses of person, state, revision."""
    by = By(by.actor, check_why(by.why), by.at)
    version = await of_other(tx, policy_id, by)
    move(MOVES, version.state, _S.REJECTED)
    check_revision(version, revision)
    return await _moved(tx, version, _S.REJECTED, "reject", by)


async def note(tx: Tx, policy_id: UUID, by: By) -> None:
    """Keep a remark on a version: `by.why`. Refuses POLICY_UNKNOWN."""
    by = By(by.actor, check_why(by.why), by.at)
    await locked(tx, policy_id)
    await store.insert_history(tx, policy_id, "note", by)


async def publish(
    tx: Tx, policy_id: UUID, revision: int, effective_at: datetime, known: Known, by: By
) -> PolicyVersion:
    """Approve a submitted version from `effective_at` on (now or later); by somebody else than its maker.

    Refuses POLICY_UNKNOWN, SAME_PERSON, STATE_CONFLICT, POLICY_CHANGED, EFFECTIVE_INVALID (the past, or an instant at
    which another version takes over), POLICY_INVALID (categories may have gone since it was submitted).
    """
    await raise_epoch(tx, "policy")
    version = await of_other(tx, policy_id, by)
    if version.state is not _S.SUBMITTED:
        raise Conflict("STATE_CONFLICT", f"{version.state} is not under review", state=str(version.state))
    return await into_force(tx, version, revision, effective_at, known, by, "publish")


async def into_force(
    tx: Tx,
    version: PolicyVersion,
    revision: int,
    effective_at: datetime,
    known: Known,
    by: By,
    verb: str,
) -> PolicyVersion:
    """Publish a locked version, the epoch raised already. Refuses what `publish` says."""
    by = By(by.actor, check_why(by.why), by.at)
    move(MOVES, version.state, _S.PUBLISHED)
    check_revision(version, revision)
    if effective_at < by.at:
        raise Refusal("EFFECTIVE_INVALID", "a policy takes over now or later")
    check(version.document, known)
    if not await store.publish(tx, version.policy_id, by, effective_at):
        raise Refusal("EFFECTIVE_INVALID", "another version takes over at this instant")
    await store.insert_history(tx, version.policy_id, verb, by)
    return msgspec.structs.replace(
        version, state=_S.PUBLISHED, checker=by.actor, published_at=by.at, effective_at=effective_at
    )


async def withdraw(tx: Tx, policy_id: UUID, by: By) -> PolicyVersion:
    """Give up a version that isn't in force: its maker one that isn't approved, anybody one that waits.

    Refuses POLICY_UNKNOWN, NOT_THE_MAKER, STATE_CONFLICT (has been in force: roll back; a canary is ended).
    """
    by = By(by.actor, check_why(by.why), by.at)
    waits = (await get(tx, policy_id)).published_at is not None
    if waits:
        await raise_epoch(tx, "policy")
    version = await locked(tx, policy_id)
    move(MOVES, version.state, _S.WITHDRAWN)
    was = version.effective_at is not None and version.effective_at <= by.at
    if was or version.state is _S.CANARY or waits != (version.published_at is not None):
        says = "it is or was in force: roll back, or end the canary"
        raise Conflict("STATE_CONFLICT", says, state=str(version.state))
    if not waits and version.maker != by.actor:
        raise Forbidden("NOT_THE_MAKER", "only its maker gives up a version that nobody has approved")
    return await _ended(tx, version, _S.WITHDRAWN, "withdraw", by)


async def roll_back(tx: Tx, number: str, by: By) -> PolicyVersion:
    """Take the version in force, which is `number`, out of force at once: the one before it decides again.

    One step by one person. Refuses POLICY_CHANGED (another one is in force), POLICY_NONE_BEFORE.
    """
    by = By(by.actor, check_why(by.why), by.at)
    await raise_epoch(tx, "policy")
    now = await in_force(tx, by.at)
    if now.number != number:
        raise Stale("POLICY_CHANGED", f"{now.number} is in force, not {number}", number=now.number)
    await locked(tx, now.policy_id)
    await _ended(tx, now, _S.ROLLED_BACK, "roll_back", by)
    before = await store.in_force(tx, by.at)
    if before is None:
        raise Conflict("POLICY_NONE_BEFORE", "no version was in force before this one")
    await store.insert_history(tx, before[0].policy_id, "restore", by)
    return whole(*before)


async def in_force(tx: Tx, at: datetime) -> PolicyVersion:
    """The version that decides at `at`; NotFound (POLICY_NONE_IN_FORCE) when there is none."""
    found = await store.in_force(tx, at)
    if found is None:
        raise NotFound("POLICY_NONE_IN_FORCE", "no policy is in force")
    return whole(*found)


async def next_change_at(tx: Tx, at: datetime) -> datetime | None:
    """When other versions decide after `at`: until then a cached book stays right while the epoch does."""
    return await store.next_change_at(tx, at)


async def by_number(tx: Tx, number: str) -> PolicyVersion:
    """The version that a stored decision names; NotFound (POLICY_UNKNOWN) otherwise."""
    found = await store.by_number(tx, number)
    if found is None:
        raise NotFound("POLICY_UNKNOWN", f"no policy {number!r}")
    return whole(*found)


async def get(tx: Tx, policy_id: UUID) -> PolicyVersion:
    """The version of this id; NotFound (POLICY_UNKNOWN) otherwise."""
    found = await store.version(tx, policy_id)
    if found is None:
        raise NotFound("POLICY_UNKNOWN", "no such version")
    return whole(*found)


async def versions(tx: Tx) -> list[PolicyVersion]:
    """All versions, newest first."""
    return await store.versions(tx)


async def saves(tx: Tx, policy_id: UUID) -> list[Saved]:
    """Every save of a version, oldest first."""
    return await store.saves(tx, policy_id)


async def saved(tx: Tx, policy_id: UUID, revision: int) -> PolicyDocument:
    """The document as one save left it; NotFound (POLICY_UNKNOWN) otherwise."""
    found = await store.saved(tx, policy_id, revision)
    if found is None:
        raise NotFound("POLICY_UNKNOWN", f"no save {revision} of this version")
    assert document_hash(found[0]) == found[1], "a save was changed in the database"
    return found[0]


async def get_history(tx: Tx, policy_id: UUID) -> list[HistoryRow]:
    """Every step of a version with who, when and why, oldest first."""
    return await store.history(tx, policy_id)


def parse_document(raw: bytes) -> PolicyDocument:
    """A document from JSON; refuses what isn't one, naming the field (POLICY_INVALID)."""
    try:
        return msgspec.json.decode(raw, type=PolicyDocument)
    except msgspec.DecodeError as error:
        raise Refusal("POLICY_INVALID", str(error), faults=[str(error)]) from None


def document_hash(document: PolicyDocument) -> bytes:
    """SHA-256 of the document's canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).digest()


async def locked(tx: Tx, policy_id: UUID) -> PolicyVersion:
    """A version for a step; NotFound (POLICY_UNKNOWN) otherwise."""
    found = await store.version(tx, policy_id, lock=True)
    if found is None:
        raise NotFound("POLICY_UNKNOWN", "no such version")
    return whole(*found)


async def _of_maker(tx: Tx, policy_id: UUID, by: By) -> PolicyVersion:
    version = await locked(tx, policy_id)
    if version.maker != by.actor:
        raise Forbidden("NOT_THE_MAKER", "only its maker changes a version")
    return version


async def of_other(tx: Tx, policy_id: UUID, by: By) -> PolicyVersion:
    """A locked version for somebody who didn't make it; refuses SAME_PERSON."""
    version = await locked(tx, policy_id)
    if version.maker == by.actor:
        raise Forbidden("SAME_PERSON", "whoever wrote a policy can't approve or refuse it")
    return version


def check(document: PolicyDocument, known: Known) -> None:
    """Refuses POLICY_INVALID with all `faults` of the document."""
    found = faults(document, known.categories, known.merchants)
    if found:
        raise Refusal("POLICY_INVALID", f"{len(found)} faults: {found[0]}", faults=found)


def check_revision(version: PolicyVersion, revision: int) -> None:
    """Refuses POLICY_CHANGED to whoever has seen another save than the last."""
    if version.revision != revision:
        says = f"it was saved {version.revision} times, you have seen {revision}"
        raise Stale("POLICY_CHANGED", says, revision=version.revision)


async def _moved(tx: Tx, version: PolicyVersion, state: PolicyState, verb: str, by: By) -> PolicyVersion:
    await store.set_state(tx, version.policy_id, version.state, state)
    await store.insert_history(tx, version.policy_id, verb, by)
    return msgspec.structs.replace(version, state=state)


async def _ended(tx: Tx, version: PolicyVersion, state: PolicyState, verb: str, by: By) -> PolicyVersion:
    await store.end(tx, version.policy_id, version.state, state, by.at)
    await store.insert_history(tx, version.policy_id, verb, by)
    return msgspec.structs.replace(version, state=state, ended_at=by.at)


def whole(version: PolicyVersion, stored_hash: bytes) -> PolicyVersion:
    """The version, after a look that its document is the one that was written."""
    assert document_hash(version.document) == stored_hash, f"policy {version.number} was changed in the database"
    return version
