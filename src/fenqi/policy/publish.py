"""A policy's way into force: drafted by one person, published by another from an instant on, withdrawn in need."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, Forbidden, NotFound, Refusal
from fenqi.kernel.state import move
from fenqi.policy import store
from fenqi.policy.lint import faults
from fenqi.policy.model import MOVES, HistoryRow, PolicyDocument, PolicyState, PolicyVersion

_NUMBER_MAX = 40


async def draft(
    tx: Tx, policy_id: UUID, number: str, document: PolicyDocument, categories: Collection[str], by: By
) -> PolicyVersion:
    """Keep a draft; a repeat with the same id and document returns it. `categories` are the codes that exist.

    Refuses POLICY_INVALID (with `faults`), POLICY_NUMBER_INVALID, and POLICY_EXISTS for another draft under the id
    or number.
    """
    check_why(by.why)
    if not 1 <= len(number) <= _NUMBER_MAX or not all(c.isascii() and (c.isalnum() or c in "._-") for c in number):
        raise Refusal("POLICY_NUMBER_INVALID", "letters, digits, . _ -")
    _check(document, categories)
    new = PolicyVersion(policy_id, number, PolicyState.DRAFT, document, by.actor, by.at, None, None, None)
    if not await store.insert_draft(tx, new, document_hash(document)):
        there = await store.version(tx, policy_id)
        if there is None or there[0].number != number or there[1] != document_hash(document):
            raise Conflict("POLICY_EXISTS", "another version has this id or number")
        return there[0]
    await store.insert_history(tx, policy_id, "draft", by)
    return new


async def publish(
    tx: Tx, policy_id: UUID, effective_at: datetime, categories: Collection[str], by: By
) -> PolicyVersion:
    """Put a draft into force from `effective_at` (now or later); by somebody else than its maker.

    Refuses POLICY_UNKNOWN, SAME_PERSON, STATE_CONFLICT, EFFECTIVE_INVALID (the past, or an instant at which another
    version takes over), POLICY_INVALID (categories may have gone since it was drafted).
    """
    check_why(by.why)
    version = await _locked(tx, policy_id)
    if version.maker == by.actor:
        raise Forbidden("SAME_PERSON", "whoever wrote a policy can't publish it")
    state = move(MOVES, version.state, PolicyState.PUBLISHED)
    if effective_at < by.at:
        raise Refusal("EFFECTIVE_INVALID", "a policy takes over now or later")
    _check(version.document, categories)
    if not await store.publish(tx, policy_id, by, effective_at):
        raise Refusal("EFFECTIVE_INVALID", "another version takes over at this instant")
    await store.insert_history(tx, policy_id, "publish", by)
    await raise_epoch(tx, "policy")
    return msgspec.structs.replace(
        version, state=state, checker=by.actor, published_at=by.at, effective_at=effective_at
    )


async def withdraw(tx: Tx, policy_id: UUID, by: By) -> None:
    """Take a published version back; the one before it is in force again. Refuses POLICY_UNKNOWN, STATE_CONFLICT."""
    check_why(by.why)
    version = await _locked(tx, policy_id)
    move(MOVES, version.state, PolicyState.WITHDRAWN)
    await store.withdraw(tx, policy_id)
    await store.insert_history(tx, policy_id, "withdraw", by)
    await raise_epoch(tx, "policy")


async def in_force(tx: Tx, at: datetime) -> PolicyVersion:
    """The version that decides at `at`; NotFound (POLICY_NONE_IN_FORCE) when there is none."""
    found = await store.in_force(tx, at)
    if found is None:
        raise NotFound("POLICY_NONE_IN_FORCE", "no policy is in force")
    return _whole(*found)


async def next_effective_at(tx: Tx, at: datetime) -> datetime | None:
    """When a version that waits takes over after `at`: until then a cached book stays right while the epoch does."""
    return await store.next_effective_at(tx, at)


async def by_number(tx: Tx, number: str) -> PolicyVersion:
    """The version that a stored decision names; NotFound (POLICY_UNKNOWN) otherwise."""
    found = await store.by_number(tx, number)
    if found is None:
        raise NotFound("POLICY_UNKNOWN", f"no policy {number!r}")
    return _whole(*found)


async def versions(tx: Tx) -> list[PolicyVersion]:
    """All versions, newest first."""
    return await store.versions(tx)


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


def _check(document: PolicyDocument, categories: Collection[str]) -> None:
    found = faults(document, categories)
    if found:
        raise Refusal("POLICY_INVALID", f"{len(found)} faults: {found[0]}", faults=found)


async def _locked(tx: Tx, policy_id: UUID) -> PolicyVersion:
    found = await store.version(tx, policy_id, lock=True)
    if found is None:
        raise NotFound("POLICY_UNKNOWN", "no such version")
    return _whole(*found)


def _whole(version: PolicyVersion, stored_hash: bytes) -> PolicyVersion:
    """The version, after a look that its document is the one that was written."""
    assert document_hash(version.document) == stored_hash, f"policy {version.number} was changed in the database"
    return version
