"""Payments and refunds as a merchant sees them: its own share of each, as far as the relay has carried it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from fenqi import merchant
from fenqi.flows import merchant_refund
from fenqi.kernel.money import check_amount_minor
from fenqi.merchant import PaymentShare, RefundShare, Scope
from fenqi.web.api.merchant import by_merchant, page_of
from fenqi.web.api.resource import Call, resource


class MerchantPayment(msgspec.Struct, frozen=True):
    """What a payment paid for the merchant's goods, in minor units; `refunded_minor` counts refunds under way."""

    payment_id: UUID
    order_id: UUID
    order_number: str
    amount_minor: int
    refunded_minor: int
    currency: str
    paid_at: datetime


class MerchantRefund(msgspec.Struct, frozen=True):
    """The merchant's part of a refund; `code` says why one failed."""

    refund_id: UUID
    payment_id: UUID
    order_id: UUID
    amount_minor: int
    state: str
    """created | succeeded | failed"""
    code: str
    made_at: datetime
    changed_at: datetime


class MerchantRefundAsked(msgspec.Struct, frozen=True):
    """A refund that was taken; how it goes on is told by webhook, and by reading it."""

    refund_id: UUID
    payment_id: UUID
    order_id: UUID
    amount_minor: int
    made_at: datetime


class NewMerchantRefund(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much the merchant gives back, in minor units; nothing named: all that is left of its share."""

    amount_minor: int | None = None
    why: Annotated[str, msgspec.Meta(max_length=500)] = ""


def _payment(share: PaymentShare) -> MerchantPayment:
    return MerchantPayment(
        share.payment_id, share.order_id, share.order_number, share.amount_minor, share.refunded_minor,
        share.currency, share.paid_at,
    )  # fmt: skip


def _refund(share: RefundShare) -> MerchantRefund:
    return MerchantRefund(
        share.refund_id, share.payment_id, share.order_id, share.amount_minor, str(share.state), share.code,
        share.made_at, share.changed_at,
    )  # fmt: skip


@resource(
    "GET", "/v1/merchant/payments", answer=tuple[MerchantPayment, ...], who=("merchant",),
    scopes=(Scope.PAYMENTS_READ,), query=("limit", "before"), problems=(422,),
)  # fmt: skip
async def listing(call: Call) -> tuple[MerchantPayment, ...]:
    """The merchant's shares of payments, newest first: at most `limit`, older than the payment `before`."""
    async with call.context.database.snapshot() as tx:
        found = await merchant.payments_of(tx, call.actor.merchant_id, *page_of(call))
    return tuple(map(_payment, found))


@resource(
    "GET", "/v1/merchant/payments/{payment}", answer=MerchantPayment, who=("merchant",), scopes=(Scope.PAYMENTS_READ,)
)  # fmt: skip
async def read(call: Call) -> MerchantPayment:
    """The merchant's share of one payment."""
    async with call.context.database.snapshot() as tx:
        return _payment(await merchant.payment_of(tx, call.actor.merchant_id, call.id("payment")))


@resource(
    "GET", "/v1/merchant/refunds", answer=tuple[MerchantRefund, ...], who=("merchant",),
    scopes=(Scope.PAYMENTS_READ,), query=("limit", "before"), problems=(422,),
)  # fmt: skip
async def refunds(call: Call) -> tuple[MerchantRefund, ...]:
    """The merchant's parts of refunds, newest first: at most `limit`, older than the refund `before`."""
    async with call.context.database.snapshot() as tx:
        found = await merchant.refunds_of(tx, call.actor.merchant_id, *page_of(call))
    return tuple(map(_refund, found))


@resource(
    "GET", "/v1/merchant/refunds/{refund}", answer=MerchantRefund, who=("merchant",), scopes=(Scope.PAYMENTS_READ,)
)  # fmt: skip
async def refund(call: Call) -> MerchantRefund:
    """The merchant's part of one refund."""
    async with call.context.database.snapshot() as tx:
        return _refund(await merchant.refund_of(tx, call.actor.merchant_id, call.id("refund")))


@resource(
    "GET", "/v1/merchant/payments/{payment}/refunds", answer=tuple[MerchantRefund, ...], who=("merchant",),
    scopes=(Scope.PAYMENTS_READ,),
)  # fmt: skip
async def refunds_of_payment(call: Call) -> tuple[MerchantRefund, ...]:
    """The merchant's parts of the refunds of one payment, oldest first."""
    merchant_id, payment_id = call.actor.merchant_id, call.id("payment")
    async with call.context.database.snapshot() as tx:
        await merchant.payment_of(tx, merchant_id, payment_id)
        found = await merchant.refunds_of_payment(tx, merchant_id, payment_id)
    return tuple(map(_refund, found))


@resource(
    "POST", "/v1/merchant/payments/{payment}/refunds", body=NewMerchantRefund, answer=MerchantRefundAsked,
    who=("merchant",), scopes=(Scope.REFUNDS_WRITE,), keyed=True,
)  # fmt: skip
async def create_refund(call: Call) -> MerchantRefundAsked:
    """Give back this much of the merchant's share of a payment, never beyond what is left of it (REFUND_TOO_LARGE)."""
    merchant_id, payment_id, amount_minor = call.actor.merchant_id, call.id("payment"), call.body.amount_minor
    if amount_minor is not None:
        check_amount_minor(amount_minor)
    by = by_merchant(call, call.body.why, "the seller gave money back")
    row = await merchant_refund.give_back(
        call.context, merchant_id, call.id_of_key("merchant refund"), payment_id, amount_minor, by
    )
    return MerchantRefundAsked(row.refund_id, payment_id, row.order_id, row.amount_minor, row.refunded_at)
