"""Payments: one press of the button each; a bulk call takes up to a thousand.

With a channel outside the answer may be that it is pending or unknown: read the payment until it is decided, or cancel.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from fenqi import attempt, cashier
from fenqi.attempt import Attempt
from fenqi.cashier import Payment, Tender
from fenqi.flows import charge, pay
from fenqi.flows.context import Context
from fenqi.flows.device import USUAL, Device
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import id_for
from fenqi.kernel.money import check_amount_minor
from fenqi.kernel.reason import CODES, Reason, Scope, ScopeKind
from fenqi.kernel.refusal import Refusal
from fenqi.texts import Audience, Locale
from fenqi.web.api.offer_view import ReasonView, reason_views
from fenqi.web.api.resource import Answered, Call, Nothing, resource

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
    card_id: UUID | None = None
    """Of method `bank_card`: the bound card that pays; none: the one bound first."""
    client: Annotated[str, msgspec.Meta(max_length=40)] = "web"
    """web | wap | app | wechat: where the buyer is, which decides how a channel leads them there."""


class AttemptView(msgspec.Struct, frozen=True):
    """One try at a channel."""

    attempt_id: UUID
    channel: str
    amount_minor: int
    state: str
    """created | unknown | pending | succeeded | declined | closed"""
    reason: str
    """Of a declined one the code that its buyer may see."""
    made_at: datetime
    is_returned: bool
    """The money came and goes back: too late, twice, or another amount."""


class HandoverView(msgspec.Struct, frozen=True):
    """How the buyer is led to the channel."""

    kind: Literal["redirect", "form", "qr", "app"]
    url: str
    """Where a redirect or a form goes; of a qr, the text to be drawn."""
    fields: dict[str, str]
    """A form's fields; an app's (or JSAPI's) parameters."""


class PaymentView(msgspec.Struct, frozen=True):
    """A payment with its outcome, and the reasons where it is refused."""

    payment_id: UUID
    checkout_id: UUID
    order_id: UUID
    outcome: str
    """succeeded | refused; while a channel has not decided pending | unknown; of one that ended without an answer
    closed | returned (its money came and goes back)"""
    method: str
    plan: str
    amount_minor: int
    tenders: tuple[Tender, ...]
    loan_id: UUID | None
    decision_id: UUID
    paid_at: datetime
    reasons: tuple[ReasonView, ...] = ()
    channel: str | None = None
    """Of a payment that a channel executes."""
    handover: HandoverView | None = None
    """While it is pending: how the buyer pays."""
    expires_at: datetime | None = None
    """While it is pending or unknown: the channel takes no money after it."""
    attempts: tuple[AttemptView, ...] = ()


_UNDECIDED = ("pending", "unknown")
_HANDOVER = msgspec.json.Decoder(HandoverView)


async def payment_view(context: Context, found: Payment, locale: Locale) -> PaymentView:
    """A payment for its buyer, with its tries at channels if it has any."""
    seen = _view(found, locale)
    if found.attempt_id is None:
        return seen
    async with context.database.snapshot() as tx:
        tries = await attempt.of_payment(tx, found.consumer_id, found.payment_id)
    last = next(one for one in tries if one.attempt_id == found.attempt_id)
    handover = None if last.handover is None or found.outcome != "pending" else _HANDOVER.decode(last.handover)
    return msgspec.structs.replace(
        seen, channel=last.channel, handover=handover,
        expires_at=last.expires_at if found.outcome in _UNDECIDED else None,
        attempts=tuple(attempt_view(one) for one in tries),
    )  # fmt: skip


def attempt_view(one: Attempt) -> AttemptView:
    """A try for its buyer."""
    code = ""
    if one.reason in CODES:
        reason = Reason(one.reason, one.method, Scope(ScopeKind.CHANNEL, (one.passage,)), {})
        code = cashier.for_audience((reason,), Audience.BUYER)[0].code
    return AttemptView(
        one.attempt_id, one.channel, one.amount_minor, str(one.state), code, one.made_at, one.disposition == "returned"
    )  # fmt: skip


def _view(found: Payment, locale: Locale) -> PaymentView:
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


def _request(consumer_id: UUID, key: str, new: NewPayment, device: Device) -> PayRequest:
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
        new.card_id,
        new.client,
        device=device,
    )


def _hash(new: NewPayment) -> bytes:
    """What the key stands for: everything but the quote, which only says how old the facts may be."""
    asked = (new.checkout_id.bytes, new.method, new.plan, new.part_by, new.card_id, new.client)
    return hashlib.sha256(repr(asked).encode()).digest()


_REFUSED = "Refused, with every reason; or, at a repeat, ended without having been paid"
_TAKEN = "Taken; the channel has not decided: pending with its handover, or unknown"


@resource(
    "POST", "/v1/payments", body=NewPayment, answer=PaymentView, keyed=True, keeps_answers=True, problems=(404,),
    also={202: _TAKEN, 402: _REFUSED},
)  # fmt: skip
async def create(call: Call) -> Answered:
    """Pay. A refusal is an answer too: status 402, `outcome` refused, with every reason; the same key repeats it.

    Status 202: a channel has yet to decide. `pending` comes with the handover that leads the buyer there; with
    `unknown` nobody knows yet whether the money was taken, and fenqi is asking. Read the payment until it is decided.
    """
    found = await pay.pay(call.context, _request(call.actor.consumer_id, call.key, call.body, call.device))
    status = 200 if found.outcome == "succeeded" else 202 if found.outcome in _UNDECIDED else 402
    return Answered(await payment_view(call.context, found, call.locale), status)


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
        found = await pay.pay(call.context, _request(item.consumer_id, item.key, item, USUAL))
    except Refusal as refusal:
        return BulkAnswer(item.key, None, refusal.code, refusal.detail)
    return BulkAnswer(item.key, await payment_view(call.context, found, call.locale))


@resource("GET", "/v1/payments/{payment}", answer=PaymentView)
async def read(call: Call) -> PaymentView:
    """One payment of the consumer, as it stands."""
    found = await charge.standing(call.context, call.actor.consumer_id, call.id("payment"))
    return await payment_view(call.context, found, call.locale)


@resource("POST", "/v1/payments/{payment}:cancel", body=Nothing, answer=PaymentView, problems=(409,))
async def cancel(call: Call) -> PaymentView:
    """Close an undecided payment at its channel; the answer is how it stands then: closed, or paid when the buyer was
    faster, or undecided still where the channel can't close it yet. What is decided stays as it is."""
    context, consumer_id = call.context, call.actor.consumer_id
    found = await charge.standing(context, consumer_id, call.id("payment"))
    if found.outcome in _UNDECIDED:
        await charge.withdraw(context, consumer_id, found.order_id, context.by_consumer(consumer_id, "cancelled"))
        found = await charge.standing(context, consumer_id, found.payment_id)
    return await payment_view(context, found, call.locale)
