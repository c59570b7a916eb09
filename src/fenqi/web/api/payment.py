"""Payments: one press of the button each; a bulk call takes up to a thousand."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.cashier import Payment, Tender
from fenqi.flows import pay
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import bucket_of, id_for
from fenqi.kernel.money import check_amount_minor
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.texts import Audience, Locale
from fenqi.web.api.offer_view import ReasonView, reason_views
from fenqi.web.api.resource import Answered, Call, resource

BULK_MOST = 1_000


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the amount by another method."""

    method: str
    amount_minor: int


class NewPayment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pay this checkout by this method and plan; `decision_id` is the quote that the buyer looked at."""

    checkout_id: UUID
    method: str
    plan: str
    decision_id: UUID | None = None
    part_by: Part | None = None


class PaymentView(msgspec.Struct, frozen=True):
    """A payment with its outcome: succeeded, or refused with every reason."""

    payment_id: UUID
    checkout_id: UUID
    order_id: UUID
    outcome: str
    method: str
    plan: str
    amount_minor: int
    tenders: tuple[Tender, ...]
    loan_id: UUID | None
    decision_id: UUID
    paid_at: datetime
    reasons: tuple[ReasonView, ...] = ()


def payment_view(found: Payment, locale: Locale) -> PaymentView:
    """A payment for its buyer."""
    told = cashier.for_audience(found.reasons, Audience.BUYER)
    return PaymentView(
        found.payment_id,
        found.intent_id,
        found.order_id,
        found.outcome,
        found.method,
        found.plan,
        found.amount_minor,
        found.tenders,
        found.loan_id,
        found.decision_id,
        found.paid_at,
        reason_views(told, locale, stepped_up=False),
    )


def _request(consumer_id: UUID, key: str, new: NewPayment) -> PayRequest:
    part_by = None
    if new.part_by is not None:
        part_by = (new.part_by.method, check_amount_minor(new.part_by.amount_minor))
    return PayRequest(
        consumer_id,
        id_for(consumer_id, "payment", key),
        new.checkout_id,
        new.method,
        new.plan,
        _hash(new),
        new.decision_id,
        part_by,
    )


def _hash(new: NewPayment) -> bytes:
    """What the key stands for: everything but the quote, which only says how old the facts may be."""
    asked = (new.checkout_id.bytes, new.method, new.plan, new.part_by)
    return hashlib.sha256(repr(asked).encode()).digest()


_REFUSED = "Refused, with every reason"


@resource(
    "POST", "/v1/payments", body=NewPayment, answer=PaymentView, keyed=True, keeps_answers=True, problems=(404,),
    also={402: _REFUSED},
)  # fmt: skip
async def create(call: Call) -> Answered:
    """Pay. A refusal is an answer too: status 402, `outcome` refused, with every reason; the same key repeats it."""
    found = await pay.pay(call.context, _request(call.actor.consumer_id, call.key, call.body))
    return Answered(payment_view(found, call.locale), 200 if found.outcome == "succeeded" else 402)


class BulkItem(NewPayment, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One payment of a bulk call, with its consumer and its key."""

    consumer_id: UUID
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class BulkPayments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One to a thousand payments, of any consumers."""

    payments: Annotated[tuple[BulkItem, ...], msgspec.Meta(min_length=1, max_length=BULK_MOST)]


class BulkAnswer(msgspec.Struct, frozen=True):
    """The answer to one payment of a bulk call: the payment, or why it could not be judged at all."""

    key: str
    payment: PaymentView | None = None
    problem_code: str | None = None
    problem_detail: str | None = None


@resource(
    "POST",
    "/v1/payments:bulk",
    body=BulkPayments,
    answer=tuple[BulkAnswer, ...],
    who=("staff",),
    max_body_bytes=1024 * 1024,
)
async def create_many(call: Call) -> tuple[BulkAnswer, ...]:
    """Pay many at once, each with its own key and its own answer, in the order given. For operators."""
    call.actor.require("operator")
    return tuple(await asyncio.gather(*(_one(call, item) for item in call.body.payments)))


async def _one(call: Call, item: BulkItem) -> BulkAnswer:
    try:
        found = await pay.pay(call.context, _request(item.consumer_id, item.key, item))
    except Refusal as refusal:
        return BulkAnswer(item.key, None, refusal.code, refusal.detail)
    return BulkAnswer(item.key, payment_view(found, call.locale))


@resource("GET", "/v1/payments/{payment}", answer=PaymentView)
async def read(call: Call) -> PaymentView:
    """One payment of the consumer."""
    consumer_id = call.actor.consumer_id
    async with call.context.database.snapshot() as tx:
        found = await cashier.select_payment(tx, bucket_of(consumer_id), consumer_id, call.id("payment"))
    if found is None:
        raise NotFound("PAYMENT_UNKNOWN", "no such payment")
    return payment_view(found, call.locale)
