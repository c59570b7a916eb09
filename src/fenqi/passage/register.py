"""Registering a passage and changing what is declared of it: terms, state, maintenance. Each change has its history."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.kernel.state import move
from fenqi.passage.model import MOVES, HistoryRow, Passage, PassageState, Terms, Window
from fenqi.passage.store import declared, observed

_CODE = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
_ENDPOINT = re.compile(r"https?://[^ ]*[^ /]\Z")


async def register(
    tx: Tx, passage_id: UUID, code: str, channel: str, terms: Terms, by: By, merchant_id: UUID | None = None
) -> Passage:
    """A new active passage, a merchant's or the mall's own, without credentials yet. A repeat changes nothing.

    Refuses PASSAGE_INVALID (code, endpoint, amounts or costs that make no sense) and PASSAGE_EXISTS for another
    passage under the id or code.
    """
    check_why(by.why)
    _check(code, terms)
    new = Passage(passage_id, code, channel, merchant_id, PassageState.ACTIVE, terms, 1, by.at)
    if not await declared.insert_passage(tx, new):
        return await _same(tx, new)
    await observed.insert_health(tx, passage_id)
    await declared.insert_history(tx, passage_id, "register", by, to_state=new.state, detail=_detail(terms))
    await raise_epoch(tx, "channel")
    return new


async def _same(tx: Tx, asked: Passage) -> Passage:
    there = await declared.passages(tx, [asked.passage_id])
    if not there or (there[0].code, there[0].channel, there[0].merchant_id) != (
        asked.code, asked.channel, asked.merchant_id,
    ):  # fmt: skip
        raise Conflict("PASSAGE_EXISTS", "another passage has this id or code")
    return there[0]


def _check(code: str, terms: Terms) -> None:
    sound = (
        _CODE.match(code)
        and _ENDPOINT.match(terms.endpoint)
        and 0 <= terms.cost_ppm <= 1_000_000
        and terms.fee_minor >= 0
        and terms.min_minor >= 1
        and (terms.max_minor is None or terms.max_minor >= terms.min_minor)
    )
    if not sound:
        raise Refusal("PASSAGE_INVALID", "the code, the endpoint, the amounts or the costs make no sense")


def _detail(terms: Terms) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(terms)
    return found


async def locked(tx: Tx, passage_id: UUID) -> Passage:
    """The passage, locked for change, or NotFound (PASSAGE_UNKNOWN)."""
    found = await declared.lock(tx, passage_id)
    if found is None:
        raise NotFound("PASSAGE_UNKNOWN", "no such passage")
    return found


async def change_terms(tx: Tx, passage_id: UUID, terms: Terms, by: By) -> Passage:
    """Replace what is declared; the same terms change nothing. Refuses PASSAGE_UNKNOWN and PASSAGE_INVALID."""
    check_why(by.why)
    before = await locked(tx, passage_id)
    _check(before.code, terms)
    if before.terms == terms:
        return before
    await declared.set_terms(tx, passage_id, terms)
    await declared.insert_history(tx, passage_id, "change_terms", by, detail=_detail(terms))
    await raise_epoch(tx, "channel")
    return msgspec.structs.replace(before, terms=terms, version=before.version + 1)


async def change_state(tx: Tx, passage_id: UUID, to_state: PassageState, by: By) -> Passage:
    """Ban, suspend, retire a passage, or take it back. Refuses PASSAGE_UNKNOWN and STATE_CONFLICT."""
    check_why(by.why)
    before = await locked(tx, passage_id)
    move(MOVES, before.state, to_state)
    await declared.set_state(tx, passage_id, before.state, to_state)
    await declared.insert_history(tx, passage_id, "change_state", by, from_state=before.state, to_state=to_state)
    await raise_epoch(tx, "channel")
    return msgspec.structs.replace(before, state=to_state, version=before.version + 1)


async def plan_maintenance(
    tx: Tx, passage_id: UUID, maintenance_id: UUID, from_at: datetime, until_at: datetime, by: By
) -> Window:
    """Let the passage rest from one instant to another. A repeat changes nothing.

    Refuses PASSAGE_UNKNOWN and WINDOW_INVALID (no length, or over already).
    """
    why = check_why(by.why)
    if until_at <= from_at or until_at <= by.at:
        raise Refusal("WINDOW_INVALID", "a maintenance ends after it begins, and in the future")
    await locked(tx, passage_id)
    window = Window(maintenance_id, from_at, until_at, why)
    if await declared.insert_window(tx, passage_id, window):
        detail = {"from_at": from_at.isoformat(), "until_at": until_at.isoformat()}
        await declared.insert_history(tx, passage_id, "plan_maintenance", by, detail=detail)
        await raise_epoch(tx, "channel")
    return window


async def end_maintenance(tx: Tx, passage_id: UUID, maintenance_id: UUID, by: By) -> None:
    """End a maintenance now, or call off one that has not begun; refuses one that is over (WINDOW_UNKNOWN)."""
    check_why(by.why)
    await locked(tx, passage_id)
    if not await declared.end_window(tx, passage_id, maintenance_id, by.at):
        raise NotFound("WINDOW_UNKNOWN", "no such maintenance is planned or on")
    detail: dict[str, object] = {"maintenance_id": str(maintenance_id)}
    await declared.insert_history(tx, passage_id, "end_maintenance", by, detail=detail)
    await raise_epoch(tx, "channel")


async def get(tx: Tx, passage_id: UUID) -> Passage:
    """The passage, or NotFound (PASSAGE_UNKNOWN)."""
    found = await declared.passages(tx, [passage_id])
    if not found:
        raise NotFound("PASSAGE_UNKNOWN", "no such passage")
    return found[0]


async def by_code(tx: Tx, code: str) -> Passage:
    """The passage of this code, or NotFound (PASSAGE_UNKNOWN)."""
    passage_id = await declared.passage_id_of(tx, code)
    if passage_id is None:
        raise NotFound("PASSAGE_UNKNOWN", "no such passage")
    return await get(tx, passage_id)


async def get_all(tx: Tx) -> list[Passage]:
    """All passages, by code, retired ones too."""
    return await declared.passages(tx)


async def get_history(tx: Tx, passage_id: UUID) -> list[HistoryRow]:
    """Every change of what is declared, with who, when and why, oldest first."""
    return await declared.history(tx, passage_id)
