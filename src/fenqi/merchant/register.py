"""Registering a merchant: its id is the key, so a repeat of the same registration changes nothing."""

from __future__ import annotations

from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.ids import short_number
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.merchant import store
from fenqi.merchant.model import HistoryRow, Merchant, MerchantKind, MerchantState


async def register(tx: Tx, merchant_id: UUID, kind: MerchantKind, name_zh: str, name_en: str, by: By) -> Merchant:
    """A new active merchant; refuses names that are empty or longer than 80 (MERCHANT_NAME_INVALID)."""
    check_why(by.why)
    names = (name_zh.strip(), name_en.strip())
    if any(not 1 <= len(name) <= 80 for name in names):
        raise Refusal("MERCHANT_NAME_INVALID", "both names need 1 to 80 characters")
    new = Merchant(merchant_id, short_number(merchant_id), kind, *names, MerchantState.ACTIVE, None, 1, by.at)
    if not await store.shop.insert_merchant(tx, new):
        return _same(await get(tx, merchant_id), new)
    await store.shop.insert_history(tx, merchant_id, "register", by, to_state=new.state)
    await raise_epoch(tx, "merchant")
    return new


def _same(there: Merchant, asked: Merchant) -> Merchant:
    if (there.kind, there.name_zh, there.name_en) != (asked.kind, asked.name_zh, asked.name_en):
        raise Conflict("MERCHANT_EXISTS", "another merchant has this id")
    return there


async def get(tx: Tx, merchant_id: UUID) -> Merchant:
    """The merchant, or NotFound (MERCHANT_UNKNOWN)."""
    there = await store.shop.merchant(tx, merchant_id)
    if there is None:
        raise NotFound("MERCHANT_UNKNOWN", "no such merchant")
    return there


async def get_all(tx: Tx) -> list[Merchant]:
    """All merchants in the order of their registration."""
    return await store.shop.merchants(tx)


async def get_history(tx: Tx, merchant_id: UUID) -> list[HistoryRow]:
    """Every change of the merchant with who, when and why, oldest first."""
    return await store.shop.history(tx, merchant_id)
