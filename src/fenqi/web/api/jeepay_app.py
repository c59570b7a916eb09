"""Apps of partners who come from Jeepay: made by an operator or by the merchant's own key, shown once, revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from fenqi import jeepay, merchant, staff
from fenqi.flows import jeepay as flow
from fenqi.jeepay import App
from fenqi.kernel.by import By
from fenqi.merchant import Scope
from fenqi.staff import Action
from fenqi.web.api.merchant import by_merchant
from fenqi.web.api.resource import Call, resource


class NewJeepayApp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the app is for, and the category of what is sold through it."""

    label: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    category: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    why: Annotated[str, msgspec.Meta(max_length=500)] = ""


class JeepayAppRevoked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the app is taken out of use."""

    why: Annotated[str, msgspec.Meta(max_length=500)] = ""


class JeepayApp(msgspec.Struct, frozen=True):
    """An app without its secret: `mch_no` and `app_no` are the protocol's mchNo and appId."""

    app_id: UUID
    mch_no: str
    app_no: str
    label: str
    category: str
    made_at: datetime
    revoked_at: datetime | None


class JeepayAppShown(JeepayApp, frozen=True, kw_only=True):
    """A new app: its secret is shown this once."""

    app_secret: str


def _view(app: App, mch_no: str) -> JeepayApp:
    return JeepayApp(app.app_id, mch_no, app.number, app.label, app.category, app.made_at, app.revoked_at)


async def _list(call: Call, merchant_id: UUID) -> tuple[JeepayApp, ...]:
    async with call.context.database.snapshot() as tx:
        mch_no = (await merchant.get(tx, merchant_id)).number
        return tuple(_view(app, mch_no) for app in await jeepay.apps_of(tx, merchant_id))


async def _create(call: Call, merchant_id: UUID, by: By) -> JeepayAppShown:
    app, secret = await flow.open_app(call.context, merchant_id, call.body.label, call.body.category, by)
    async with call.context.database.snapshot() as tx:
        mch_no = (await merchant.get(tx, merchant_id)).number
    return JeepayAppShown(*msgspec.structs.astuple(_view(app, mch_no)), app_secret=secret)


async def _revoke(call: Call, merchant_id: UUID, by: By) -> JeepayApp:
    async with call.context.database.transaction() as tx:
        await jeepay.revoke_app(tx, merchant_id, call.id("app"), by)
        return _view(await jeepay.get_app(tx, call.id("app")), (await merchant.get(tx, merchant_id)).number)


@resource(
    "GET", "/v1/merchant/jeepay-apps", answer=tuple[JeepayApp, ...], who=("merchant",), scopes=(Scope.KEYS_MANAGE,)
)  # fmt: skip
async def mine(call: Call) -> tuple[JeepayApp, ...]:
    """Every app that the merchant has or had, oldest first."""
    return await _list(call, call.actor.merchant_id)


@resource(
    "POST", "/v1/merchant/jeepay-apps", body=NewJeepayApp, answer=JeepayAppShown, who=("merchant",),
    scopes=(Scope.KEYS_MANAGE, Scope.ORDERS_WRITE, Scope.PAYMENTS_WRITE, Scope.REFUNDS_WRITE),
)  # fmt: skip
async def create(call: Call) -> JeepayAppShown:
    """A further app; what an app can do, the calling key must be allowed to do itself."""
    return await _create(call, call.actor.merchant_id, by_merchant(call, call.body.why, "made by API"))


@resource(
    "POST", "/v1/merchant/jeepay-apps/{app}:revoke", body=JeepayAppRevoked, answer=JeepayApp, who=("merchant",),
    scopes=(Scope.KEYS_MANAGE,),
)  # fmt: skip
async def revoke(call: Call) -> JeepayApp:
    """Take an app out of use, from the next call on."""
    return await _revoke(call, call.actor.merchant_id, by_merchant(call, call.body.why, "revoked by API"))


@resource("POST", "/v1/merchants/{merchant}/jeepay-apps", body=NewJeepayApp, answer=JeepayAppShown, who=("staff",))
async def create_for(call: Call) -> JeepayAppShown:
    """A partner's app, made by an operator: the first one comes this way."""
    return await _create(call, call.id("merchant"), await _by_operator(call, call.body.why))


@resource(
    "POST", "/v1/merchants/{merchant}/jeepay-apps/{app}:revoke", body=JeepayAppRevoked, answer=JeepayApp,
    who=("staff",),
)  # fmt: skip
async def revoke_for(call: Call) -> JeepayApp:
    """Take a partner's app out of use."""
    return await _revoke(call, call.id("merchant"), await _by_operator(call, call.body.why))


async def _by_operator(call: Call, why: str) -> By:
    """The member of staff's doing, kept in the record of what staff did; refuses NOT_ALLOWED, WHY_REQUIRED."""
    now = call.context.now()
    async with call.context.database.transaction() as tx:
        member = await staff.get(tx, call.actor.staff_id)
        await staff.audit(tx, member, Action.CHANGE_MERCHANT, f"merchant:{call.id('merchant')}", why, now)
    return By(call.actor.name, why, now)
