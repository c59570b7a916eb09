"""SQL of merchants with their contracts, related persons, asks and history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.merchant.model import (
    Contract,
    HistoryRow,
    Merchant,
    MerchantKind,
    MerchantState,
    Seller,
)

_MERCHANT = "merchant_id, number, kind, name_zh, name_en, state, state_until_at, version, registered_at"


def _merchant(row: Sequence[Any]) -> Merchant:
    return Merchant(row[0], row[1], MerchantKind(row[2]), row[3], row[4], MerchantState(row[5]), *row[6:])


async def insert_merchant(tx: Tx, merchant: Merchant) -> bool:
    """False when a merchant with this id is already there."""
    cursor = await tx.execute(
        f"INSERT INTO merchant ({_MERCHANT}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (merchant_id) DO NOTHING",
        [
            merchant.merchant_id,
            merchant.number,
            merchant.kind,
            merchant.name_zh,
            merchant.name_en,
            merchant.state,
            merchant.state_until_at,
            merchant.version,
            merchant.registered_at,
        ],
    )
    return cursor.rowcount == 1


async def merchant(tx: Tx, merchant_id: UUID, *, lock: bool = False) -> Merchant | None:
    """The merchant, its row locked for change when asked."""
    cursor = await tx.execute(
        f"SELECT {_MERCHANT} FROM merchant WHERE merchant_id = %s" + (" FOR UPDATE" if lock else ""), [merchant_id]
    )
    row = await cursor.fetchone()
    return _merchant(row) if row else None


async def merchants(tx: Tx) -> list[Merchant]:
    """All merchants in the order of their registration."""
    cursor = await tx.execute(f"SELECT {_MERCHANT} FROM merchant ORDER BY registered_at, merchant_id")
    return [_merchant(row) for row in await cursor.fetchall()]


async def set_state(
    tx: Tx, merchant_id: UUID, from_state: MerchantState, to_state: MerchantState, until_at: datetime | None
) -> None:
    """Move a locked merchant's state."""
    cursor = await tx.execute(
        "UPDATE merchant SET state = %s, state_until_at = %s, version = version + 1"
        " WHERE merchant_id = %s AND state = %s",
        [to_state, until_at, merchant_id, from_state],
    )
    assert cursor.rowcount == 1


async def insert_history(
    tx: Tx,
    merchant_id: UUID,
    verb: str,
    by: By,
    *,
    from_state: str | None = None,
    to_state: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Keep a change of the merchant."""
    await tx.execute(
        "INSERT INTO merchant_history"
        " (merchant_id, history_id, verb, from_state, to_state, detail, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [merchant_id, new_id(), verb, from_state, to_state, Jsonb(detail or {}), by.actor, by.why, by.at],
    )


async def history(tx: Tx, merchant_id: UUID) -> list[HistoryRow]:
    """All changes of a merchant, oldest first."""
    cursor = await tx.execute(
        "SELECT verb, from_state, to_state, detail, actor, why, at FROM merchant_history"
        " WHERE merchant_id = %s ORDER BY at, history_id",
        [merchant_id],
    )
    return [HistoryRow(*row) for row in await cursor.fetchall()]


async def insert_contract(tx: Tx, contract: Contract) -> bool:
    """False when a contract for the method from that day is already there."""
    cursor = await tx.execute(
        "INSERT INTO merchant_contract (merchant_id, method, effective_on, ends_on) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (merchant_id, method, effective_on) DO NOTHING",
        [contract.merchant_id, contract.method, contract.effective_on, contract.ends_on],
    )
    return cursor.rowcount == 1


async def contract(tx: Tx, merchant_id: UUID, method: str, effective_on: date) -> Contract | None:
    """One contract by its key."""
    cursor = await tx.execute(
        "SELECT merchant_id, method, effective_on, ends_on FROM merchant_contract"
        " WHERE merchant_id = %s AND method = %s AND effective_on = %s",
        [merchant_id, method, effective_on],
    )
    row = await cursor.fetchone()
    return Contract(*row) if row else None


async def end_contracts(tx: Tx, merchant_id: UUID, method: str, ends_on: date) -> int:
    """Let the method's contracts that would last beyond `ends_on` end then; how many there were."""
    cursor = await tx.execute(
        "UPDATE merchant_contract SET ends_on = %s WHERE merchant_id = %s AND method = %s"
        " AND effective_on <= %s AND (ends_on IS NULL OR ends_on > %s)",
        [ends_on, merchant_id, method, ends_on, ends_on],
    )
    return cursor.rowcount


async def insert_related_party(tx: Tx, merchant_id: UUID, person_hash: bytes, relation: str) -> bool:
    """False when the person is already known as related."""
    cursor = await tx.execute(
        "INSERT INTO merchant_related_party (merchant_id, person_hash, relation) VALUES (%s, %s, %s)"
        " ON CONFLICT (merchant_id, person_hash) DO NOTHING",
        [merchant_id, person_hash, relation],
    )
    return cursor.rowcount == 1


async def sellers(tx: Tx, merchant_ids: Sequence[UUID] | None) -> dict[UUID, Seller]:
    """Merchants with contracts and related persons: those asked for, or all (None), in three statements."""
    where = "" if merchant_ids is None else " WHERE merchant_id = ANY(%s)"
    values = [] if merchant_ids is None else [list(merchant_ids)]
    contracts: dict[UUID, list[Contract]] = {}
    cursor = await tx.execute(
        "SELECT merchant_id, method, effective_on, ends_on FROM merchant_contract" + where, values
    )
    for row in await cursor.fetchall():
        contracts.setdefault(row[0], []).append(Contract(*row))
    related: dict[UUID, list[bytes]] = {}
    cursor = await tx.execute("SELECT merchant_id, person_hash FROM merchant_related_party" + where, values)
    for merchant_id, person_hash in await cursor.fetchall():
        related.setdefault(merchant_id, []).append(person_hash)
    cursor = await tx.execute(f"SELECT {_MERCHANT} FROM merchant" + where, values)
    return {
        row[0]: Seller(_merchant(row), tuple(contracts.get(row[0], ())), frozenset(related.get(row[0], ())))
        for row in await cursor.fetchall()
    }


async def insert_ask(tx: Tx, merchant_id: UUID, method: str, consumer_id: UUID, scene: str, at: datetime) -> None:
    """Note that a buyer asks for a method; once a buyer and method."""
    await tx.execute(
        "INSERT INTO merchant_ask (bucket, merchant_id, method, consumer_id, scene, asked_at)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (bucket, merchant_id, method, consumer_id) DO NOTHING",
        [bucket_of(merchant_id), merchant_id, method, consumer_id, scene, at],
    )


async def asked_counts(tx: Tx, merchant_ids: Sequence[UUID], method: str) -> dict[UUID, int]:
    """How many buyers asked each merchant for the method; merchants that nobody asked are left out."""
    cursor = await tx.execute(
        "SELECT merchant_id, count(*) FROM merchant_ask"
        " WHERE bucket = ANY(%s) AND merchant_id = ANY(%s) AND method = %s GROUP BY merchant_id",
        [[bucket_of(merchant_id) for merchant_id in merchant_ids], list(merchant_ids), method],
    )
    return dict(await cursor.fetchall())
