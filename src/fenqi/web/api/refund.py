"""Refunds of the consumer's own paid orders, whole or in part, whatever paid them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import attempt
from fenqi.attempt import Attempt, ChannelRefund
from fenqi.channels import shelf
from fenqi.credit import RefundPlan, RefundRow
from fenqi.flows import refund
from fenqi.flows.context import Context
from fenqi.web.api.resource import Call, resource


class NewRefund(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much comes back, in minor units; nothing named: all that is left."""

    amount_minor: int | None = None


class ChannelRefundView(msgspec.Struct, frozen=True):
    """A part of a refund that goes back through the channel that took it."""

    refund_id: UUID
    channel: str
    amount_minor: int
    state: str
    """created | unknown | pending | succeeded | failed (somebody decides where it goes) | diverted (paid into the money
    account instead)"""
    made_at: datetime
    finished_at: datetime | None
    usual_days: tuple[int, int]
    """Working days that the channel usually takes, from and to."""


class RefundView(msgspec.Struct, frozen=True):
    """A refund: what came back to limits, what in money, and what goes back through a channel."""

    refund_id: UUID
    order_id: UUID
    kind: str
    """refund | cancellation"""
    amount_minor: int
    on_credit_minor: int
    to_limit_minor: int
    to_money_account_minor: int
    to_channel_minor: int
    refunded_at: datetime
    channel_refunds: tuple[ChannelRefundView, ...] = ()


class PlannedRefund(msgspec.Struct, frozen=True):
    """What a refund would do."""

    kind: str
    amount_minor: int
    to_limit_minor: int
    to_money_account_minor: int
    to_channel_minor: int


async def _views(context: Context, rows: list[RefundRow]) -> tuple[RefundView, ...]:
    """Refunds of one order, with what channels have done about them."""
    if not any(row.to_channel_minor for row in rows):
        return tuple(_view(row, ()) for row in rows)
    consumer_id = rows[0].consumer_id
    async with context.database.snapshot() as tx:
        tries = {one.attempt_id: one for one in await attempt.of_order(tx, consumer_id, rows[0].order_id)}
        backs = await attempt.refunds_of(tx, consumer_id, list(tries))
    return tuple(
        _view(row, [(back, tries[back.attempt_id]) for back in backs if back.order_refund_id == row.refund_id])
        for row in rows
    )


def _channel_view(back: ChannelRefund, source: Attempt) -> ChannelRefundView:
    days = shelf.channel(source.channel).capabilities.refund_days
    return ChannelRefundView(
        back.refund_id, source.channel, back.amount_minor, str(back.state), back.made_at, back.finished_at, days
    )


def _view(row: RefundRow, backs: Sequence[tuple[ChannelRefund, Attempt]]) -> RefundView:
    return RefundView(
        row.refund_id,
        row.order_id,
        row.kind,
        row.amount_minor,
        row.on_credit_minor,
        row.to_limit_minor,
        row.to_money_account_minor,
        row.to_channel_minor,
        row.refunded_at,
        tuple(_channel_view(back, source) for back, source in backs),
    )


@resource("POST", "/v1/orders/{order}/refunds", body=NewRefund, answer=RefundView, keyed=True)
async def create(call: Call) -> RefundView:
    """Refund this much of a paid order: limits come back first, what is not owed any more comes in money, and what a
    channel took goes back through it: read the refunds to see how far it is."""
    context, consumer_id = call.context, call.actor.consumer_id
    by = context.by_consumer(consumer_id, "asked for a refund")
    key = call.id_of_key("refund")
    row = await refund.refund(context, consumer_id, key, call.id("order"), call.body.amount_minor, by)
    return (await _views(context, [row]))[0]


@resource(
    "POST", "/v1/orders/{order}/refunds:preview", body=NewRefund, answer=PlannedRefund, problems=(409,)
)  # fmt: skip
async def preview(call: Call) -> PlannedRefund:
    """What the refund would do now, or the refusal that it would meet; nothing is written."""
    context, consumer_id = call.context, call.actor.consumer_id
    by = context.by_consumer(consumer_id, "asked what a refund would do")
    planned: RefundPlan = await refund.preview(context, consumer_id, call.id("order"), call.body.amount_minor, by)
    to_limit_minor = sum(draw.amount_minor for draw in planned.to_limits)
    to_channel_minor = sum(part.amount_minor for part in planned.to_channels)
    return PlannedRefund(
        planned.kind, planned.amount_minor, to_limit_minor, planned.to_money_account_minor, to_channel_minor
    )


@resource("GET", "/v1/orders/{order}/refunds", answer=tuple[RefundView, ...])
async def listing(call: Call) -> tuple[RefundView, ...]:
    """The refunds of an order, oldest first."""
    found = await refund.refunds_of(call.context, call.actor.consumer_id, call.id("order"))
    return await _views(call.context, found)
