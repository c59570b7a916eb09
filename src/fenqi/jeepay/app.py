"""A partner's apps: made by an operator, their secret shown once and kept sealed, revocable."""

from __future__ import annotations

from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.jeepay import store
from fenqi.jeepay.model import App
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import NotFound, Refusal


async def add_app(
    tx: Tx, app_id: UUID, merchant_id: UUID, label: str, category: str, sealed: bytes, by: By
) -> App:  # fmt: skip
    """A new app; its caller knows the merchant and the category, and has sealed the secret. Refuses APP_INVALID."""
    check_why(by.why)
    if not 1 <= len(label.strip()) <= 60:
        raise Refusal("APP_INVALID", "an app has a label of 1 to 60 characters")
    new = App(app_id, merchant_id, label.strip(), category, sealed, by.at)
    await store.insert_app(tx, new, by)
    return new


async def find_app(tx: Tx, app_id: UUID) -> App | None:
    """The app, if there is one and it is not revoked."""
    found = await store.app(tx, app_id)
    return None if found is None or found.revoked_at is not None else found


async def get_app(tx: Tx, app_id: UUID) -> App:
    """The app, also a revoked one: what was promised under it is still told. NotFound (APP_UNKNOWN)."""
    found = await store.app(tx, app_id)
    if found is None:
        raise NotFound("APP_UNKNOWN", "no such app")
    return found


async def apps_of(tx: Tx, merchant_id: UUID) -> list[App]:
    """Every app that the merchant has or had, oldest first."""
    return await store.apps_of(tx, merchant_id)


async def revoke_app(tx: Tx, merchant_id: UUID, app_id: UUID, by: By) -> None:
    """Make an app useless from now on; refuses one that isn't theirs or isn't in use (APP_UNKNOWN)."""
    check_why(by.why)
    found = await store.app(tx, app_id)
    if found is None or found.merchant_id != merchant_id or not await store.revoke_app(tx, app_id, by):
        raise NotFound("APP_UNKNOWN", "no such app in use")
