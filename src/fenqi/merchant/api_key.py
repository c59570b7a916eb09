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
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.merchant import store
from fenqi.merchant.model import ApiKey, Scope
from fenqi.merchant.register import get

_PREFIX = "fq_"


async def create_api_key(
    tx: Tx, merchant_id: UUID, label: str, scopes: Sequence[Scope], by: By, expires_at: datetime | None = None
) -> str:
    """The new key in clear, this once. Refuses an unknown merchant, no label or no scope (API_KEY_INVALID)."""
    check_why(by.why)
    if not 1 <= len(label.strip()) <= 60 or not scopes or (expires_at is not None and expires_at <= by.at):
        raise Refusal("API_KEY_INVALID", "a key needs a label, at least one scope, and an end in the future if any")
    await get(tx, merchant_id)
    key = _PREFIX + secrets.token_urlsafe(32)
    new = ApiKey(merchant_id, label.strip(), tuple(scopes), expires_at, None)
    await store.insert_api_key(tx, _hash(key), new, by)
    await store.insert_history(tx, merchant_id, "create_api_key", by, detail={"label": new.label})
    return key


async def check_api_key(tx: Tx, key: str, at: datetime) -> ApiKey | None:
    """The key's merchant and scopes, None when it is unknown, revoked or past its end."""
    if not key.startswith(_PREFIX) or len(key) != len(_PREFIX) + 43:
        return None
    found = await store.api_key(tx, _hash(key))
    if found is None or found.revoked_at is not None:
        return None
    return None if found.expires_at is not None and found.expires_at <= at else found


async def revoke_api_key(tx: Tx, key: str, by: By) -> None:
    """Make a key useless from now on; refuses one that isn't in use (API_KEY_UNKNOWN)."""
    check_why(by.why)
    found = await check_api_key(tx, key, by.at)
    if found is None or not await store.revoke_api_key(tx, _hash(key), by):
        raise NotFound("API_KEY_UNKNOWN", "no such key in use")
    await store.insert_history(tx, found.merchant_id, "revoke_api_key", by, detail={"label": found.label})


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
