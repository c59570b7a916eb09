"""Lists: who and what is blocked, watched or let through, by whom, why and until when; every change is kept.

A change raises the epoch of risk, so that no press goes through on facts from before it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.risk.model import LISTS, SUBJECTS, Listed, ListName, Subject
from fenqi.risk.store import lists as store


async def add(tx: Tx, subject: Subject, name: ListName, by: By, until_at: datetime | None = None) -> None:
    """Put a subject on a list, or renew its entry. Refuses WHY_REQUIRED, LIST_UNKNOWN, UNTIL_INVALID (in the past)."""
    check_why(by.why)
    _check(subject, name)
    if until_at is not None and until_at <= by.at:
        raise Refusal("UNTIL_INVALID", "an entry ends in the future")
    await store.upsert(tx, subject, name, by, until_at)
    await store.insert_change(tx, subject, name, "add", by, until_at)
    await raise_epoch(tx, "risk")


async def remove(tx: Tx, subject: Subject, name: ListName, by: By) -> None:
    """Take a subject off a list. Refuses WHY_REQUIRED, and LIST_ENTRY_UNKNOWN when it isn't on it."""
    check_why(by.why)
    _check(subject, name)
    if not await store.delete(tx, subject, name):
        raise NotFound("LIST_ENTRY_UNKNOWN", "it is not on this list")
    await store.insert_change(tx, subject, name, "remove", by, None)
    await raise_epoch(tx, "risk")


async def entries(tx: Tx, name: str = "", limit: int = 200) -> list[Listed]:
    """The newest entries of a list (empty: of all), expired ones too."""
    return await store.entries(tx, name, limit)


async def listed(tx: Tx, subject_ids: list[UUID]) -> list[Listed]:
    """The entries of these subjects, expired ones too."""
    return await store.listed(tx, subject_ids)


def _check(subject: Subject, name: str) -> None:
    if name not in LISTS or subject.kind not in SUBJECTS:
        raise Refusal("LIST_UNKNOWN", f"a list is one of {', '.join(LISTS)}, of {', '.join(SUBJECTS)}")
