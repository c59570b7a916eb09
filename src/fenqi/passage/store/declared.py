"""SQL of what is declared of passages. Lock order: passage row, its credentials, then the reference epoch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.passage.model import (
    CredentialState,
    HistoryRow,
    Passage,
    PassageState,
    SealedCredential,
    Terms,
    Window,
)

_TERMS = "endpoint, cost_ppm, fee_minor, priority, scenes, min_minor, max_minor, may_be_spare"
_PASSAGE = f"passage_id, code, channel, merchant_id, state, version, registered_at, {_TERMS}"
_CREDENTIAL = "version, state, sealed, valid_from_at, notices_until_at"


def _terms_values(terms: Terms) -> list[Any]:
    return [
        terms.endpoint, terms.cost_ppm, terms.fee_minor, terms.priority, list(terms.scenes),
        terms.min_minor, terms.max_minor, terms.may_be_spare,
    ]  # fmt: skip


def _passage(row: Sequence[Any], windows: Sequence[Window], credentials: Sequence[SealedCredential]) -> Passage:
    endpoint, cost_ppm, fee_minor, priority, scenes, min_minor, max_minor, may_be_spare = row[7:15]
    terms = Terms(endpoint, cost_ppm, fee_minor, priority, tuple(scenes), min_minor, max_minor, may_be_spare)
    values: list[Any] = [*row[:4], PassageState(row[4]), terms, *row[5:7], tuple(windows), tuple(credentials)]
    return Passage(*values)


def _credential(row: Sequence[Any]) -> SealedCredential:
    return SealedCredential(row[0], CredentialState(row[1]), bytes(row[2]), row[3], row[4])


async def insert_passage(tx: Tx, new: Passage) -> bool:
    """False when a passage with this id or code is already there."""
    cursor = await tx.execute(
        f"INSERT INTO passage ({_PASSAGE}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [
            new.passage_id, new.code, new.channel, new.merchant_id, new.state, new.version, new.registered_at,
            *_terms_values(new.terms),
        ],
    )  # fmt: skip
    return cursor.rowcount == 1


async def lock(tx: Tx, passage_id: UUID) -> Passage | None:
    """The passage with its row locked for change."""
    cursor = await tx.execute("SELECT 1 FROM passage WHERE passage_id = %s FOR UPDATE", [passage_id])
    if await cursor.fetchone() is None:
        return None
    found = await passages(tx, [passage_id])
    return found[0]


async def passage_id_of(tx: Tx, code: str) -> UUID | None:
    """The passage that has this code."""
    cursor = await tx.execute("SELECT passage_id FROM passage WHERE code = %s", [code])
    row = await cursor.fetchone()
    return row[0] if row else None


async def passages(tx: Tx, passage_ids: Sequence[UUID] | None = None) -> list[Passage]:
    """Those asked for, or all (None), by code, with windows and credentials: three statements."""
    where = "" if passage_ids is None else " WHERE passage_id = ANY(%s)"
    values = [] if passage_ids is None else [list(passage_ids)]
    cursor = await tx.execute(f"SELECT {_PASSAGE} FROM passage{where} ORDER BY code", values)
    rows = await cursor.fetchall()
    if not rows:
        return []
    windows: dict[UUID, list[Window]] = {}
    cursor = await tx.execute(
        f"SELECT passage_id, maintenance_id, from_at, until_at, why FROM passage_maintenance{where} ORDER BY from_at",
        values,
    )
    for row in await cursor.fetchall():
        windows.setdefault(row[0], []).append(Window(*row[1:]))
    credentials: dict[UUID, list[SealedCredential]] = {}
    cursor = await tx.execute(
        f"SELECT passage_id, {_CREDENTIAL} FROM passage_credential{where} ORDER BY version DESC", values
    )
    for row in await cursor.fetchall():
        credentials.setdefault(row[0], []).append(_credential(row[1:]))
    return [_passage(row, windows.get(row[0], ()), credentials.get(row[0], ())) for row in rows]


async def set_state(tx: Tx, passage_id: UUID, from_state: PassageState, to_state: PassageState) -> None:
    """Move a locked passage's state."""
    cursor = await tx.execute(
        "UPDATE passage SET state = %s, version = version + 1 WHERE passage_id = %s AND state = %s",
        [to_state, passage_id, from_state],
    )
    assert cursor.rowcount == 1


async def set_terms(tx: Tx, passage_id: UUID, terms: Terms) -> None:
    """Replace a locked passage's terms."""
    cursor = await tx.execute(
        "UPDATE passage SET endpoint = %s, cost_ppm = %s, fee_minor = %s, priority = %s, scenes = %s, min_minor = %s,"
        " max_minor = %s, may_be_spare = %s, version = version + 1 WHERE passage_id = %s",
        [*_terms_values(terms), passage_id],
    )
    assert cursor.rowcount == 1


async def insert_credential(tx: Tx, passage_id: UUID, new: SealedCredential) -> None:
    """Keep a version of a locked passage's credentials."""
    await tx.execute(
        f"INSERT INTO passage_credential (passage_id, {_CREDENTIAL}) VALUES (%s, %s, %s, %s, %s, %s)",
        [passage_id, new.version, new.state, new.sealed, new.valid_from_at, new.notices_until_at],
    )


async def set_credential(tx: Tx, passage_id: UUID, changed: SealedCredential, from_state: CredentialState) -> None:
    """Move a version of a locked passage's credentials on."""
    cursor = await tx.execute(
        "UPDATE passage_credential SET state = %s, valid_from_at = %s, notices_until_at = %s"
        " WHERE passage_id = %s AND version = %s AND state = %s",
        [
            changed.state, changed.valid_from_at, changed.notices_until_at, passage_id, changed.version, from_state,
        ],
    )  # fmt: skip
    assert cursor.rowcount == 1


async def delete_pending(tx: Tx, passage_id: UUID) -> None:
    """Let go of a version that never came to be used."""
    await tx.execute("DELETE FROM passage_credential WHERE passage_id = %s AND state = 'pending'", [passage_id])


async def insert_window(tx: Tx, passage_id: UUID, window: Window) -> bool:
    """False when the window is already there."""
    cursor = await tx.execute(
        "INSERT INTO passage_maintenance (passage_id, maintenance_id, from_at, until_at, why)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (passage_id, maintenance_id) DO NOTHING",
        [passage_id, window.maintenance_id, window.from_at, window.until_at, window.why],
    )
    return cursor.rowcount == 1


async def end_window(tx: Tx, passage_id: UUID, maintenance_id: UUID, at: datetime) -> bool:
    """End a window now, or call it off when it has not begun; False when it is over or unknown."""
    cursor = await tx.execute(
        "UPDATE passage_maintenance SET until_at = %s"
        " WHERE passage_id = %s AND maintenance_id = %s AND from_at < %s AND until_at > %s",
        [at, passage_id, maintenance_id, at, at],
    )
    if cursor.rowcount == 1:
        return True
    cursor = await tx.execute(
        "DELETE FROM passage_maintenance WHERE passage_id = %s AND maintenance_id = %s AND from_at >= %s",
        [passage_id, maintenance_id, at],
    )
    return cursor.rowcount == 1


async def insert_history(
    tx: Tx,
    passage_id: UUID,
    verb: str,
    by: By,
    *,
    from_state: str | None = None,
    to_state: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Keep a change of the passage."""
    await tx.execute(
        "INSERT INTO passage_history"
        " (passage_id, history_id, verb, from_state, to_state, detail, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [passage_id, new_id(), verb, from_state, to_state, Jsonb(detail or {}), by.actor, by.why, by.at],
    )


async def history(tx: Tx, passage_id: UUID) -> list[HistoryRow]:
    """All changes of a passage, oldest first."""
    cursor = await tx.execute(
        "SELECT verb, from_state, to_state, detail, actor, why, at FROM passage_history"
        " WHERE passage_id = %s ORDER BY at, history_id",
        [passage_id],
    )
    return [HistoryRow(*row) for row in await cursor.fetchall()]
