"""API keys of merchants: made by the merchant's own key or by operators, shown once, listed, revoked."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from fenqi import merchant, staff
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.merchant import ApiKey, Scope
from fenqi.staff import Action
from fenqi.web.api.merchant import by_merchant
from fenqi.web.api.resource import Call, resource


class NewApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the key is for, what it may do, and until when."""

    label: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1)]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    why: Annotated[str, msgspec.Meta(max_length=500)] = ""


class RevokedBecause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the key is taken out of use."""

    why: Annotated[str, msgspec.Meta(max_length=500)] = ""


class ApiKeyView(msgspec.Struct, frozen=True):
    """A key without the key; `last_used_on` is a business date."""

    key_id: UUID
    label: str
    scopes: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_on: date | None


class ApiKeyShown(ApiKeyView, frozen=True, kw_only=True):
    """A new key: `key` is shown this once."""

    key: str


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        key.key_id, key.label, tuple(map(str, key.scopes)), key.created_by, key.created_at, key.expires_at,
        key.revoked_at, key.last_used_on,
    )  # fmt: skip


async def _create(call: Call, tx: Tx, merchant_id: UUID, by: By) -> ApiKeyShown:
    new = call.body
    key, kept = await merchant.issue_api_key(tx, merchant_id, new.label, new.scopes, by, new.expires_at)
    return ApiKeyShown(*msgspec.structs.astuple(_view(kept)), key=key)


@resource(
    "GET", "/v1/merchant/api-keys", answer=tuple[ApiKeyView, ...], who=("merchant",), scopes=(Scope.KEYS_MANAGE,)
)  # fmt: skip
async def mine(call: Call) -> tuple[ApiKeyView, ...]:
    """Every key that the merchant has or had, oldest first."""
    async with call.context.database.snapshot() as tx:
        return tuple(map(_view, await merchant.api_keys_of(tx, call.actor.merchant_id)))


@resource(
    "POST", "/v1/merchant/api-keys", body=NewApiKey, answer=ApiKeyShown, who=("merchant",),
    scopes=(Scope.KEYS_MANAGE,),
)  # fmt: skip
async def create(call: Call) -> ApiKeyShown:
    """A further key; it can't do what the calling key can't do itself (SCOPE_MISSING)."""
    call.actor.require_scopes(tuple(map(str, call.body.scopes)))
    by = by_merchant(call, call.body.why, "made by another key")
    async with call.context.database.transaction() as tx:
        return await _create(call, tx, call.actor.merchant_id, by)


@resource(
    "POST", "/v1/merchant/api-keys/{key}:revoke", body=RevokedBecause, answer=ApiKeyView, who=("merchant",),
    scopes=(Scope.KEYS_MANAGE,),
)  # fmt: skip
async def revoke(call: Call) -> ApiKeyView:
    """Take a key out of use, from the next call on; the calling key too."""
    by = by_merchant(call, call.body.why, "revoked by API")
    async with call.context.database.transaction() as tx:
        return _view(await merchant.revoke_api_key_by_id(tx, call.actor.merchant_id, call.id("key"), by))


@resource(
    "GET", "/v1/merchants/{merchant}/api-keys", answer=tuple[ApiKeyView, ...], who=("staff",), query=("why",),
    problems=(422,),
)  # fmt: skip
async def of_merchant(call: Call) -> tuple[ApiKeyView, ...]:
    """A merchant's keys, for operators; `why` they are looked at is kept."""
    async with call.context.database.transaction() as tx:
        await _by_operator(call, tx, call.query.get("why", ""))
        await merchant.get(tx, call.id("merchant"))
        return tuple(map(_view, await merchant.api_keys_of(tx, call.id("merchant"))))


@resource("POST", "/v1/merchants/{merchant}/api-keys", body=NewApiKey, answer=ApiKeyShown, who=("staff",))
async def create_for(call: Call) -> ApiKeyShown:
    """A merchant's key, made by an operator: the first one comes this way."""
    async with call.context.database.transaction() as tx:
        by = await _by_operator(call, tx, call.body.why)
        return await _create(call, tx, call.id("merchant"), by)


@resource(
    "POST", "/v1/merchants/{merchant}/api-keys/{key}:revoke", body=RevokedBecause, answer=ApiKeyView, who=("staff",)
)  # fmt: skip
async def revoke_for(call: Call) -> ApiKeyView:
    """Take a merchant's key out of use."""
    async with call.context.database.transaction() as tx:
        by = await _by_operator(call, tx, call.body.why)
        return _view(await merchant.revoke_api_key_by_id(tx, call.id("merchant"), call.id("key"), by))


async def _by_operator(call: Call, tx: Tx, why: str) -> By:
    """The member of staff's doing, kept in the record of what staff did; refuses NOT_ALLOWED, WHY_REQUIRED."""
    member, now = await staff.get(tx, call.actor.staff_id), call.context.now()
    await staff.audit(tx, member, Action.CHANGE_MERCHANT, f"merchant:{call.id('merchant')}", why, now)
    return By(call.actor.name, why, now)
