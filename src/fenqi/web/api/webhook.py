"""A merchant's webhooks: where it is told, what it was told, every try, and sending again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec

from fenqi import merchant
from fenqi.flows import webhook
from fenqi.kernel.refusal import Refusal
from fenqi.merchant import Change, Delivery, Endpoint, Event, EventType, Scope, Try
from fenqi.web.api.merchant import by_merchant, page_of
from fenqi.web.api.resource import Call, Nothing, resource

_Why = Annotated[str, msgspec.Meta(max_length=500)]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_ME, _MANAGE = ("merchant",), (Scope.WEBHOOKS_MANAGE,)


class NewWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to tell the merchant, and of what; no topics: of everything."""

    url: Annotated[str, msgspec.Meta(min_length=8, max_length=500)]
    topics: tuple[EventType, ...] = ()
    why: _Why = ""


class Because(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is done."""

    why: _Why = ""


class Rotation(Because, frozen=True, forbid_unknown_fields=True):
    """How long the old secret signs beside the new one: up to seven days."""

    overlap_s: Annotated[int, msgspec.Meta(ge=0, le=604_800)] = 86_400


class Replay(Because, frozen=True, forbid_unknown_fields=True):
    """One event, or all that the webhook wants of what happened from `from_at` until before `to_at`."""

    event_id: UUID | None = None
    from_at: _Instant | None = None
    to_at: _Instant | None = None


class WebhookView(msgspec.Struct, frozen=True):
    """A webhook; `failing_since_at` is set while no try succeeds."""

    webhook_id: UUID
    url: str
    topics: tuple[str, ...]
    state: str
    """active | disabled"""
    failing_since_at: datetime | None
    created_at: datetime


class WebhookShown(WebhookView, frozen=True, kw_only=True):
    """A new webhook: `secret` is shown this once."""

    secret: str


class NewSecret(msgspec.Struct, frozen=True):
    """The secret that signs from now on, shown this once."""

    secret: str


class EventIds(msgspec.Struct, frozen=True):
    """The events that are sent (again)."""

    event_ids: tuple[UUID, ...]


class DeliveryView(msgspec.Struct, frozen=True):
    """An event on its way to a webhook: pending | delivered | failed (webhook disabled) | given_up."""

    webhook_id: UUID
    event_id: UUID
    state: str
    tries: int
    next_at: datetime | None
    last_status: int | None
    finished_at: datetime | None


class TryView(msgspec.Struct, frozen=True):
    """One try: what was answered, at most its first 1024 bytes, or why nothing was."""

    webhook_id: UUID
    try_no: int
    begun_at: datetime
    ended_at: datetime | None
    latency_ms: int | None
    status: int | None
    error: str
    answer: str


class EventView(msgspec.Struct, frozen=True):
    """An event as it is sent; `event_id` is its `webhook-id`."""

    event_id: UUID
    type: str
    payment_id: UUID | None
    made_at: datetime
    body: dict[str, Any]


class EventStory(EventView, frozen=True):
    """An event with its way to each webhook, and every try."""

    deliveries: tuple[DeliveryView, ...]
    tries: tuple[TryView, ...]


def _webhook(one: Endpoint) -> WebhookView:
    return WebhookView(one.endpoint_id, one.url, one.topics, str(one.state), one.failing_since_at, one.created_at)


def _delivery(one: Delivery) -> DeliveryView:
    next_at = one.next_at if one.state == "pending" else None
    return DeliveryView(
        one.endpoint_id, one.event_id, str(one.state), one.tries, next_at, one.last_status, one.finished_at
    )


def _try(one: Try) -> TryView:
    answer = one.answer.decode(errors="replace")
    return TryView(
        one.endpoint_id, one.try_no, one.begun_at, one.ended_at, one.latency_ms, one.status, one.error, answer
    )


def _event(one: Event) -> EventView:
    return EventView(one.event_id, one.type, one.payment_id, one.made_at, msgspec.json.decode(one.body))


@resource("GET", "/v1/merchant/webhooks", answer=tuple[WebhookView, ...], who=_ME, scopes=_MANAGE)
async def listing(call: Call) -> tuple[WebhookView, ...]:
    """The merchant's webhooks, oldest first."""
    async with call.context.database.snapshot() as tx:
        return tuple(map(_webhook, await merchant.endpoints_of(tx, [call.actor.merchant_id])))


@resource(
    "POST", "/v1/merchant/webhooks", body=NewWebhook, answer=WebhookShown, who=_ME, scopes=_MANAGE, problems=(409,)
)  # fmt: skip
async def create(call: Call) -> WebhookShown:
    """Be told at an https address (in the demo http and this machine will do). At most twenty."""
    by = by_merchant(call, call.body.why, "registered by API")
    made, secret = await webhook.register(call.context, call.actor.merchant_id, call.body.url, call.body.topics, by)
    return WebhookShown(*msgspec.structs.astuple(_webhook(made)), secret=secret)


@resource("GET", "/v1/merchant/webhooks/{webhook}", answer=WebhookView, who=_ME, scopes=_MANAGE)
async def read(call: Call) -> WebhookView:
    """One webhook."""
    async with call.context.database.snapshot() as tx:
        return _webhook(await merchant.endpoint_of(tx, call.actor.merchant_id, call.id("webhook")))


@resource("PUT", "/v1/merchant/webhooks/{webhook}", body=NewWebhook, answer=WebhookView, who=_ME, scopes=_MANAGE)
async def change(call: Call) -> WebhookView:
    """Another address or other topics, for what is sent from now on."""
    by, new = by_merchant(call, call.body.why, "changed by API"), call.body
    merchant_id, webhook_id = call.actor.merchant_id, call.id("webhook")
    return _webhook(await webhook.change(call.context, merchant_id, webhook_id, new.url, new.topics, by))


@resource("POST", "/v1/merchant/webhooks/{webhook}:remove", body=Because, answer=Nothing, who=_ME, scopes=_MANAGE)
async def remove(call: Call) -> Nothing:
    """Take a webhook away; what waits for it is not sent any more."""
    by = by_merchant(call, call.body.why, "removed by API")
    async with call.context.database.transaction() as tx:
        await merchant.remove_endpoint(tx, call.actor.merchant_id, call.id("webhook"), by)
    return Nothing()


@resource("POST", "/v1/merchant/webhooks/{webhook}:disable", body=Because, answer=WebhookView, who=_ME, scopes=_MANAGE)
async def disable(call: Call) -> WebhookView:
    """Send nothing there any more; what waits for it fails."""
    by = by_merchant(call, call.body.why, "disabled by API")
    async with call.context.database.transaction() as tx:
        return _webhook(await merchant.disable_endpoint(tx, call.actor.merchant_id, call.id("webhook"), by))


@resource("POST", "/v1/merchant/webhooks/{webhook}:enable", body=Because, answer=WebhookView, who=_ME, scopes=_MANAGE)
async def enable(call: Call) -> WebhookView:
    """Send there again what happens from now on; what was missed is sent by `:replay`."""
    by = by_merchant(call, call.body.why, "enabled by API")
    async with call.context.database.transaction() as tx:
        return _webhook(await merchant.enable_endpoint(tx, call.actor.merchant_id, call.id("webhook"), by))


@resource("POST", "/v1/merchant/webhooks/{webhook}:rotate", body=Rotation, answer=NewSecret, who=_ME, scopes=_MANAGE)
async def rotate(call: Call) -> NewSecret:
    """A new secret; while the overlap lasts, each message carries a signature by the old one as well."""
    by, overlap = by_merchant(call, call.body.why, "rotated by API"), timedelta(seconds=call.body.overlap_s)
    merchant_id, webhook_id = call.actor.merchant_id, call.id("webhook")
    return NewSecret(await webhook.rotate(call.context, merchant_id, webhook_id, by, overlap))


@resource(
    "POST", "/v1/merchant/webhooks/{webhook}:test", body=Because, answer=EventIds, who=_ME, scopes=_MANAGE,
    problems=(409,),
)  # fmt: skip
async def test(call: Call) -> EventIds:
    """Send a `webhook.test` there."""
    by = by_merchant(call, call.body.why, "a test by API")
    return EventIds((await webhook.send_test(call.context, call.actor.merchant_id, call.id("webhook"), by),))


@resource(
    "POST", "/v1/merchant/webhooks/{webhook}:replay", body=Replay, answer=EventIds, who=_ME, scopes=_MANAGE,
    problems=(409,),
)  # fmt: skip
async def replay(call: Call) -> EventIds:
    """Send one event, or a span of them, again: the same bodies under the same ids, newly signed."""
    asked, merchant_id, webhook_id = call.body, call.actor.merchant_id, call.id("webhook")
    between = None if asked.from_at is None or asked.to_at is None else (asked.from_at, asked.to_at)
    parts = (asked.event_id, asked.from_at, asked.to_at)
    if [part is None for part in parts] not in ([False, True, True], [True, False, False]):
        raise Refusal("REPLAY_INVALID", "name one event, or from_at and to_at")
    by = by_merchant(call, asked.why, "asked for by API")
    found = await webhook.replay(call.context, merchant_id, webhook_id, by, event_id=asked.event_id, between=between)
    return EventIds(tuple(found))


@resource("GET", "/v1/merchant/webhooks/{webhook}/history", answer=tuple[Change, ...], who=_ME, scopes=_MANAGE)
async def history(call: Call) -> tuple[Change, ...]:
    """Every change of a webhook with who, when and why, oldest first."""
    merchant_id, webhook_id = call.actor.merchant_id, call.id("webhook")
    async with call.context.database.snapshot() as tx:
        await merchant.endpoint_of(tx, merchant_id, webhook_id)
        return tuple(await merchant.changes_of(tx, merchant_id, webhook_id))


@resource(
    "GET", "/v1/merchant/webhooks/{webhook}/deliveries", answer=tuple[DeliveryView, ...], who=_ME, scopes=_MANAGE,
    query=("limit", "before"), problems=(422,),
)  # fmt: skip
async def deliveries(call: Call) -> tuple[DeliveryView, ...]:
    """What is or was on its way there, newest first: at most `limit`, older than the event `before`."""
    async with call.context.database.snapshot() as tx:
        found = await merchant.deliveries_of(tx, call.actor.merchant_id, call.id("webhook"), *page_of(call))
    return tuple(map(_delivery, found))


@resource(
    "GET", "/v1/merchant/events", answer=tuple[EventView, ...], who=_ME, scopes=_MANAGE, query=("limit", "before"),
    problems=(422,),
)  # fmt: skip
async def events(call: Call) -> tuple[EventView, ...]:
    """What the merchant was told, newest first: at most `limit`, older than the event `before`."""
    async with call.context.database.snapshot() as tx:
        return tuple(map(_event, await merchant.events_of(tx, call.actor.merchant_id, *page_of(call))))


@resource("GET", "/v1/merchant/events/{event}", answer=EventStory, who=_ME, scopes=_MANAGE)
async def event(call: Call) -> EventStory:
    """One event with its way to each webhook, and every try."""
    async with call.context.database.snapshot() as tx:
        found, on_the_way, tries = await merchant.event_of(tx, call.actor.merchant_id, call.id("event"))
    view = _event(found)
    return EventStory(
        view.event_id, view.type, view.payment_id, view.made_at, view.body, tuple(map(_delivery, on_the_way)),
        tuple(map(_try, tries)),
    )  # fmt: skip
