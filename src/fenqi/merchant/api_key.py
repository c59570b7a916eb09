"""API keys of merchants: shown once, kept as a hash, limited to scopes, revocable.

A key is `fq_` and 43 characters of 256 random bits, so a plain SHA-256 is enough to keep it by.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.merchant import store
from fenqi.merchant.model import ApiKey, Scope
from fenqi.merchant.register import get

_PREFIX = "fq_"


async def create_api_key(
    tx: Tx, merchant_id: UUID, label: str, scopes: Sequence[Scope], by: By, expires_at: datetime | None = None
) -> str:
    """The new key in clear, this once. Refuses an unknown merchant, no label or no scope (API_KEY_INVALID)."""
    return (await issue_api_key(tx, merchant_id, label, scopes, by, expires_at))[0]


async def issue_api_key(
    tx: Tx, merchant_id: UUID, label: str, scopes: Sequence[Scope], by: By, expires_at: datetime | None = None
) -> tuple[str, ApiKey]:
    """The new key in clear, this once, and what is kept of it. Refuses as `create_api_key` does."""
    check_why(by.why)
    if not 1 <= len(label.strip()) <= 60 or not scopes or (expires_at is not None and expires_at <= by.at):
        raise Refusal("API_KEY_INVALID", "a key needs a label, at least one scope, and an end in the future if any")
    await get(tx, merchant_id)
    key = _PREFIX + secrets.token_urlsafe(32)
    given = tuple(scope for scope in Scope if scope in scopes)
    new = ApiKey(new_id(), merchant_id, label.strip(), given, expires_at, None, by.actor, by.at)
    await store.api_key.insert(tx, _hash(key), new)
    await store.shop.insert_history(tx, merchant_id, "create_api_key", by, detail=_detail(new))
    return key, new


async def check_api_key(tx: Tx, key: str, at: datetime) -> ApiKey | None:
    """The key's merchant and scopes, None when it is unknown, revoked or past its end. Notes the day of its use."""
    if not key.startswith(_PREFIX) or len(key) != len(_PREFIX) + 43:
        return None
    found = await store.api_key.by_hash(tx, _hash(key))
    if found is None or not found.in_use(at):
        return None
    if found.last_used_on != business_date(at):
        await store.api_key.touch(tx, _hash(key), business_date(at))
    return found


async def api_keys_of(tx: Tx, merchant_id: UUID) -> list[ApiKey]:
    """Every key that the merchant has or had, oldest first, without the keys themselves."""
    return [key for _, key in await store.api_key.of_merchant(tx, merchant_id)]


async def revoke_api_key(tx: Tx, key: str, by: By) -> None:
    """Make a key useless from now on; refuses one that isn't in use (API_KEY_UNKNOWN)."""
    check_why(by.why)
    found = await store.api_key.by_hash(tx, _hash(key))
    if found is None or not found.in_use(by.at):
        raise _unknown()
    await _revoke(tx, _hash(key), found, by)


async def revoke_api_key_by_id(tx: Tx, merchant_id: UUID, key_id: UUID, by: By) -> ApiKey:
    """Make a merchant's key useless from now on; refuses one that isn't theirs or isn't in use (API_KEY_UNKNOWN)."""
    check_why(by.why)
    for key_hash, found in await store.api_key.of_merchant(tx, merchant_id):
        if found.key_id == key_id and found.in_use(by.at):
            await _revoke(tx, key_hash, found, by)
            revoked = await store.api_key.by_hash(tx, key_hash)
            assert revoked is not None
            return revoked
    raise _unknown()


async def _revoke(tx: Tx, key_hash: bytes, found: ApiKey, by: By) -> None:
    if not await store.api_key.revoke(tx, key_hash, by):
        raise _unknown()
    await store.shop.insert_history(tx, found.merchant_id, "revoke_api_key", by, detail=_detail(found))


def _unknown() -> NotFound:
    return NotFound("API_KEY_UNKNOWN", "no such key in use")


def _detail(key: ApiKey) -> dict[str, object]:
    return {"label": key.label, "key_id": str(key.key_id), "scopes": [str(scope) for scope in key.scopes]}


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
