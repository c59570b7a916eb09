"""Refunds of the consumer's own paid orders, whole or in part, whatever paid them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.credit import RefundPlan, RefundRow
from fenqi.flows import refund
from fenqi.web.api.resource import Call, resource


class NewRefund(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much comes back, in minor units; nothing named: all that is left."""

    amount_minor: int | None = None


class RefundView(msgspec.Struct, frozen=True):
    """A refund: what came back to limits, and what in money."""

    refund_id: UUID
    order_id: UUID
    kind: str
    """refund | cancellation"""
    amount_minor: int
    on_credit_minor: int
    to_limit_minor: int
    to_money_account_minor: int
    refunded_at: datetime


class PlannedRefund(msgspec.Struct, frozen=True):
    """What a refund would do."""

    kind: str
    amount_minor: int
    to_limit_minor: int
    to_money_account_minor: int


def _view(row: RefundRow) -> RefundView:
    return RefundView(
        row.refund_id,
        row.order_id,
        row.kind,
        row.amount_minor,
        row.on_credit_minor,
        row.to_limit_minor,
        row.to_money_account_minor,
        row.refunded_at,
    )


@resource("POST", "/v1/orders/{order}/refunds", body=NewRefund, answer=RefundView, keyed=True)
async def create(call: Call) -> RefundView:
    """Refund this much of a paid order: limits come back first, what is not owed any more comes in money."""
    context, consumer_id = call.context, call.actor.consumer_id
    by = context.by_consumer(consumer_id, "asked for a refund")
    key = call.id_of_key("refund")
    return _view(await refund.refund(context, consumer_id, key, call.id("order"), call.body.amount_minor, by))


@resource(
    "POST", "/v1/orders/{order}/refunds:preview", body=NewRefund, answer=PlannedRefund, problems=(409,)
)  # fmt: skip
async def preview(call: Call) -> PlannedRefund:
    """What the refund would do now, or the refusal that it would meet; nothing is written."""
    context, consumer_id = call.context, call.actor.consumer_id
    by = context.by_consumer(consumer_id, "asked what a refund would do")
    planned: RefundPlan = await refund.preview(context, consumer_id, call.id("order"), call.body.amount_minor, by)
    to_limit_minor = sum(draw.amount_minor for draw in planned.to_limits)
    return PlannedRefund(planned.kind, planned.amount_minor, to_limit_minor, planned.to_money_account_minor)


@resource("GET", "/v1/orders/{order}/refunds", answer=tuple[RefundView, ...])
async def listing(call: Call) -> tuple[RefundView, ...]:
    """The refunds of an order, oldest first."""
    found = await refund.refunds_of(call.context, call.actor.consumer_id, call.id("order"))
    return tuple(_view(row) for row in found)
