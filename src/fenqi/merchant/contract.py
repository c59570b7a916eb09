"""Contracts: which payment methods a merchant takes, from when to when; and who would deal with themselves there."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.merchant import store
from fenqi.merchant.model import Contract, Relation
from fenqi.merchant.register import get


async def sign_contract(
    tx: Tx, merchant_id: UUID, method: str, effective_on: date, by: By, ends_on: date | None = None
) -> Contract:
    """Enable `method` from `effective_on` to `ends_on`, both included. A repeat changes nothing.

    Refuses an unknown merchant (MERCHANT_UNKNOWN), an end before the beginning (CONTRACT_DATES_INVALID), and
    another contract from the same day (CONTRACT_EXISTS).
    """
    check_why(by.why)
    if ends_on is not None and ends_on < effective_on:
        raise Refusal("CONTRACT_DATES_INVALID", "a contract ends on or after the day it begins")
    await get(tx, merchant_id)
    new = Contract(merchant_id, method, effective_on, ends_on)
    if not await store.shop.insert_contract(tx, new):
        if await store.shop.contract(tx, merchant_id, method, effective_on) != new:
            raise Conflict("CONTRACT_EXISTS", "the method has another contract from that day")
        return new
    detail = {"method": method, "effective_on": str(effective_on), "ends_on": str(ends_on) if ends_on else None}
    await store.shop.insert_history(tx, merchant_id, "sign_contract", by, detail=detail)
    await raise_epoch(tx, "merchant")
    return new


async def end_contract(tx: Tx, merchant_id: UUID, method: str, ends_on: date, by: By) -> None:
    """Let the method's contract end on `ends_on` (its last day); refuses when none lasts longer (CONTRACT_UNKNOWN)."""
    check_why(by.why)
    if await store.shop.end_contracts(tx, merchant_id, method, ends_on) == 0:
        raise NotFound("CONTRACT_UNKNOWN", "no contract of this method lasts beyond that day")
    detail = {"method": method, "ends_on": str(ends_on)}
    await store.shop.insert_history(tx, merchant_id, "end_contract", by, detail=detail)
    await raise_epoch(tx, "merchant")


async def relate(tx: Tx, merchant_id: UUID, person_hash: bytes, relation: Relation, by: By) -> None:
    """Note a person (by the keyed hash of the customer room) for whom buying here would be self-dealing."""
    check_why(by.why)
    await get(tx, merchant_id)
    if await store.shop.insert_related_party(tx, merchant_id, person_hash, relation):
        await store.shop.insert_history(tx, merchant_id, "relate", by, detail={"relation": relation})
        await raise_epoch(tx, "merchant")
