"""Webhooks of merchants: where they are told, what they were told, every try, and sending again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.responses import Response

from fenqi import merchant, staff
from fenqi.database.pool import Tx
from fenqi.flows import webhook
from fenqi.kernel.by import By
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import Refusal
from fenqi.merchant import Endpoint, Merchant
from fenqi.staff import Action
from fenqi.web.console.act import check_may, instant, keep, keep_apart
from fenqi.web.console.find import member_of
from fenqi.web.console.story import actor_of
from fenqi.web.page import Visit, Who, get, post

_PAGE = 30


async def merchants(visit: Visit) -> Response:
    """GET /console/webhooks: merchants, those with webhooks first."""
    check_may(visit, Action.SEE_CHANNELS)
    async with visit.context.database.snapshot() as tx:
        found = await merchant.get_all(tx)
        endpoints = await merchant.endpoints_of(tx, [one.merchant_id for one in found])
    by_merchant: dict[UUID, list[Endpoint]] = {one.merchant_id: [] for one in found}
    for each in endpoints:
        by_merchant[each.merchant_id].append(each)
    told = [one for one in found if by_merchant[one.merchant_id]]
    return visit.render(
        "console/merchants.html",
        told=told,
        others=[one for one in found if not by_merchant[one.merchant_id]],
        endpoints=by_merchant,
    )


async def of_merchant(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/webhooks/{merchant_id}?before=: endpoints, events, what the merchant must know."""
    check_may(visit, Action.SEE_CHANNELS)
    async with visit.context.database.snapshot() as tx:
        owner = await merchant.get(tx, visit.id("merchant_id"))
        endpoints = await merchant.endpoints_of(tx, [owner.merchant_id])
        events = await merchant.events_of(tx, owner.merchant_id, _before(visit), _PAGE + 1)
        notices = await merchant.notices_of(tx, owner.merchant_id)
    return visit.render(
        "console/webhooks.html",
        200 if no is None else no.status,
        owner=owner,
        endpoints=endpoints,
        events=events[:_PAGE],
        before=events[_PAGE - 1].event_id if len(events) > _PAGE else "",
        notices=notices,
        may_run=_may(visit),
        error=visit.error(no),
    )


async def endpoint(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/webhooks/{merchant_id}/{endpoint_id}?before=: deliveries, changes, and sending again."""
    check_may(visit, Action.SEE_CHANNELS)
    async with visit.context.database.snapshot() as tx:
        owner, found = await _endpoint(visit, tx)
        key = (owner.merchant_id, found.endpoint_id)
        deliveries = await merchant.deliveries_of(tx, *key, _before(visit), _PAGE + 1)
        recent = await merchant.events_of(tx, owner.merchant_id, _before(visit), 100)
        changes = await merchant.changes_of(tx, *key)
        names = {one.staff_id: one.name for one in await staff.get_all(tx)}
    return visit.render(
        "console/endpoint.html",
        200 if no is None else no.status,
        owner=owner,
        endpoint=found,
        deliveries=deliveries[:_PAGE],
        before=deliveries[_PAGE - 1].event_id if len(deliveries) > _PAGE else "",
        types={one.event_id: one.type for one in recent},
        changes=list(reversed(changes)),
        count=visit.query("count", 6),
        actor=lambda name: actor_of(name, names),
        may_run=_may(visit),
        error=visit.error(no),
    )


async def event(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/webhooks/{merchant_id}/events/{event_id}: its body, its way to each endpoint, every try."""
    check_may(visit, Action.SEE_CHANNELS)
    async with visit.context.database.snapshot() as tx:
        owner = await merchant.get(tx, visit.id("merchant_id"))
        found, deliveries, tries = await merchant.event_of(tx, owner.merchant_id, visit.id("event_id"))
        endpoints = {one.endpoint_id: one for one in await merchant.endpoints_of(tx, [owner.merchant_id])}
    return visit.render(
        "console/event.html",
        200 if no is None else no.status,
        owner=owner,
        event=found,
        deliveries=deliveries,
        tries={one.endpoint_id: [each for each in tries if each.endpoint_id == one.endpoint_id] for one in deliveries},
        endpoints=endpoints,
        may_run=_may(visit),
        error=visit.error(no),
    )


def _may(visit: Visit) -> bool:
    return member_of(visit).may(Action.CHANGE_MERCHANT)


def _before(visit: Visit) -> UUID | None:
    return parse_id(visit.query("before", 36))


async def _endpoint(visit: Visit, tx: Tx) -> tuple[Merchant, Endpoint]:
    owner = await merchant.get(tx, visit.id("merchant_id"))
    return owner, await merchant.endpoint_of(tx, owner.merchant_id, visit.id("endpoint_id"))


Switch = Callable[[Tx, UUID, UUID, By], Awaitable[Endpoint]]


async def enable(visit: Visit) -> Response:
    """POST /console/webhooks/{merchant_id}/{endpoint_id}/enable: send there again what happens from now on."""
    return await _switch(visit, merchant.enable_endpoint, "enabled")


async def disable(visit: Visit) -> Response:
    """POST /console/webhooks/{merchant_id}/{endpoint_id}/disable: what waits for it fails."""
    return await _switch(visit, merchant.disable_endpoint, "disabled")


async def _switch(visit: Visit, verb: Switch, notice: str) -> Response:
    merchant_id, endpoint_id = visit.id("merchant_id"), visit.id("endpoint_id")
    try:
        async with visit.context.database.transaction() as tx:
            by = await keep(
                visit, tx, Action.CHANGE_MERCHANT, f"merchant:{merchant_id}", webhook=str(endpoint_id), verb=notice
            )  # fmt: skip
            await verb(tx, merchant_id, endpoint_id, by)
    except Refusal as no:
        return await endpoint(visit, no)
    return visit.redirect(f"/console/webhooks/{merchant_id}/{endpoint_id}", notice=notice)


async def replay_range(visit: Visit) -> Response:
    """POST /console/webhooks/{merchant_id}/{endpoint_id}/replay: what happened within a span of time, again."""
    merchant_id, endpoint_id = visit.id("merchant_id"), visit.id("endpoint_id")
    try:
        between = instant(visit, "from_at"), instant(visit, "to_at")
        detail = {"webhook": str(endpoint_id), "from_at": between[0].isoformat(), "to_at": between[1].isoformat()}
        by = await keep_apart(visit, Action.CHANGE_MERCHANT, f"merchant:{merchant_id}", verb="replay", **detail)
        sent = await webhook.replay(visit.context, merchant_id, endpoint_id, by, between=between)
    except Refusal as no:
        return await endpoint(visit, no)
    path = f"/console/webhooks/{merchant_id}/{endpoint_id}"
    return visit.redirect(path, notice="replayed", count=str(len(sent)))


async def replay_one(visit: Visit) -> Response:
    """POST /console/webhooks/{merchant_id}/events/{event_id}/replay: one event to one endpoint, again."""
    merchant_id, event_id = visit.id("merchant_id"), visit.id("event_id")
    try:
        endpoint_id = visit.form.id("endpoint_id")
        detail = {"webhook": str(endpoint_id), "event": str(event_id)}
        by = await keep_apart(visit, Action.CHANGE_MERCHANT, f"merchant:{merchant_id}", verb="replay", **detail)
        await webhook.replay(visit.context, merchant_id, endpoint_id, by, event_id=event_id)
    except Refusal as no:
        return await event(visit, no)
    return visit.redirect(f"/console/webhooks/{merchant_id}/events/{event_id}", notice="replayed_one")


_ONE = "/console/webhooks/{merchant_id}/{endpoint_id}"
_EVENT = "/console/webhooks/{merchant_id}/events/{event_id}"
ROUTES = [
    get("/console/webhooks", merchants, Who.STAFF),
    get("/console/webhooks/{merchant_id}", of_merchant, Who.STAFF),
    get(_EVENT, event, Who.STAFF),
    post(f"{_EVENT}/replay", replay_one, Who.STAFF),
    get(_ONE, endpoint, Who.STAFF),
    post(f"{_ONE}/enable", enable, Who.STAFF),
    post(f"{_ONE}/disable", disable, Who.STAFF),
    post(f"{_ONE}/replay", replay_range, Who.STAFF),
]
