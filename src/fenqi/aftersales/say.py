"""What is said about a case: the buyer's thread, notes among staff, and files, which are looked into before they are
kept."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from uuid import UUID

from fenqi.aftersales.change import change, locked, locked_open
from fenqi.aftersales.model import FILE_MOST_BYTES, FILES_MOST, Case, CaseState, Evidence, Message
from fenqi.aftersales.store import thread
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.kernel.working_hours import add_working_minutes

BODY_MOST = 2_000
_NAME = re.compile(r"[^\w.\- ()（）]+")
_KINDS: tuple[tuple[bytes, int, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"%PDF-", 0, "application/pdf"),
    (b"WEBP", 8, "image/webp"),
)
"""What a file begins with, where, and the type that it then is; what it calls itself counts for nothing."""


async def reply(tx: Tx, party_id: UUID, case_id: UUID, message_id: UUID, body: str, by: By) -> Case:
    """The buyer writes; where they were waited for, the clock goes on with what was left. A repeat changes nothing.

    Refuses TEXT_INVALID, and STATE_CONFLICT for a case that has ended.
    """
    case = await locked_open(tx, party_id, case_id)
    new = Message(message_id, "buyer", check_body(body), by.actor, by.at)
    if not await thread.insert_message(tx, party_id, case_id, new) or case.state is not CaseState.WAITING:
        return case
    return await _go_on(tx, case, by)


async def tell(tx: Tx, party_id: UUID, case_id: UUID, message_id: UUID, body: str, by: By, internal: bool) -> Case:
    """Staff write to the buyer, or (internal) a note for one another; notes may be added after the end, too."""
    case = await (locked if internal else locked_open)(tx, party_id, case_id)
    audience = "staff" if internal else "buyer"
    if not internal and case.consumer_id is None:
        raise Refusal("NOBODY_TO_TELL", "the case is about nobody: write a note")
    await thread.insert_message(tx, party_id, case_id, Message(message_id, audience, check_body(body), by.actor, by.at))
    return case


async def hand_in(
    tx: Tx, party_id: UUID, case_id: UUID, evidence_id: UUID, name: str, content: bytes, by: By, internal: bool = False
) -> Evidence:
    """Keep a file; the buyer's is an answer, as their words are, where one was waited for.

    Refuses FILE_EMPTY, FILE_TOO_LARGE, FILE_TYPE_UNKNOWN (images and PDF are known, by what is in them),
    FILES_TOO_MANY, and STATE_CONFLICT for a case that has ended.
    """
    media_type = media_type_of(content)
    case = await locked_open(tx, party_id, case_id)
    there = await thread.select_evidence(tx, party_id, case_id)
    repeated = next((one for one in there if one.evidence_id == evidence_id), None)
    if repeated is not None:
        return repeated
    if len(there) >= FILES_MOST:
        raise Conflict("FILES_TOO_MANY", f"at most {FILES_MOST} files a case", files_most=FILES_MOST)
    new = Evidence(
        evidence_id, "staff" if internal else "buyer", name_of(name, media_type), media_type, len(content),
        hashlib.sha256(content).digest(), by.actor, by.at,
    )  # fmt: skip
    await thread.insert_evidence(tx, case.party_id, case.case_id, new, content)
    if case.state is CaseState.WAITING and not internal:
        await _go_on(tx, case, by)
    return new


def check_body(body: str) -> str:
    """The text, trimmed; refuses TEXT_INVALID for none and for one beyond 2,000 characters."""
    text = body.strip()
    if not 1 <= len(text) <= BODY_MOST or "\0" in text:
        raise Refusal("TEXT_INVALID", f"1 to {BODY_MOST} characters")
    return text


def media_type_of(content: bytes) -> str:
    """What a file is, by its first bytes; refuses FILE_EMPTY, FILE_TOO_LARGE, FILE_TYPE_UNKNOWN."""
    if not content:
        raise Refusal("FILE_EMPTY", "the file is empty")
    if len(content) > FILE_MOST_BYTES:
        raise Refusal("FILE_TOO_LARGE", f"at most {FILE_MOST_BYTES} bytes")
    for mark, place, media_type in _KINDS:
        if content[place : place + len(mark)] == mark:
            return media_type
    raise Refusal("FILE_TYPE_UNKNOWN", "PNG, JPEG, WebP or PDF")


def name_of(name: str, media_type: str) -> str:
    """A file's name without folders and without what a header or a page could trip over."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return _NAME.sub("_", last).strip(" .")[-100:] or f"file.{media_type.partition('/')[2]}"


async def _go_on(tx: Tx, case: Case, by: By) -> Case:
    """The clock runs again, with the minutes that were left."""
    due_at: datetime = add_working_minutes(by.at, case.left_minutes or 0)
    return await change(tx, case, "answered", by, CaseState.IN_HAND, due_at=due_at, left_minutes=None)
