"""怎么回事 over the API: the diagnosis of anything, to its buyer, to a merchant about its own goods, and to staff.

A buyer finds their own things, a merchant orders with its goods; staff say why they look, and that is kept.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import staff
from fenqi.flows import diagnose, diagnose_find
from fenqi.flows.diagnose import Diagnosis, Kind, Subject, ToldDecision, ToldEvent, ToldOffer, ToldReason
from fenqi.flows.diagnose_told import ToldRemedy
from fenqi.flows.narrative import Proof
from fenqi.kernel.refusal import Refusal
from fenqi.merchant import Scope
from fenqi.staff import Action
from fenqi.texts import Audience
from fenqi.web.api.resource import Call, resource


class WhyReason(msgspec.Struct, frozen=True):
    """A reason in words, with whom it can be fixed by; `until_ms` where it ends by itself."""

    code: str
    layer: str
    fixer: str
    title: str
    text: str
    until_ms: int | None


class WhyOffer(msgspec.Struct, frozen=True):
    """A method and plan as it stands now: usable, or why not, with remedies by their steps, and routes."""

    method: str
    plan: str | None
    available: bool
    reasons: tuple[WhyReason, ...]
    remedies: tuple[ToldRemedy, ...]
    routes: tuple[str, ...]


class WhyDecision(msgspec.Struct, frozen=True):
    """A decision replayed. `facts_sha256` is the fingerprint of its facts, for staff; empty to others."""

    decision_id: UUID
    kind: str
    decided_at: datetime
    policy_version: str
    evaluator_version: int
    identical: bool
    facts_sha256: str


class WhyEvent(msgspec.Struct, frozen=True):
    """Something that happened, in words; who and why it was done are for staff."""

    at: datetime
    name: str
    text: str
    who: str
    why: str
    reasons: tuple[WhyReason, ...]


class Why(msgspec.Struct, frozen=True):
    """What happened, why, with proof, what has changed since, and what works now, as this audience may know it."""

    kind: str
    number: str
    audience: str
    narrative: str
    sentences: tuple[str, ...]
    method: str
    """What the reasons are about."""
    plan: str
    reasons: tuple[WhyReason, ...]
    changes: tuple[str, ...]
    now: tuple[WhyOffer, ...]
    checkout_id: UUID | None
    timeline: tuple[WhyEvent, ...]
    decisions: tuple[WhyDecision, ...]
    proof: Proof | None


def _reasons(found: tuple[ToldReason, ...]) -> tuple[WhyReason, ...]:
    return tuple(WhyReason(x.code, str(x.layer), x.fixer, x.title, x.sentence, x.until_ms) for x in found)


def _offer(one: ToldOffer) -> WhyOffer:
    return WhyOffer(one.method, one.plan, one.available, _reasons(one.reasons), one.remedies, one.routes)


def _decision(one: ToldDecision) -> WhyDecision:
    return WhyDecision(
        one.decision_id, one.kind, one.decided_at, one.policy_version, one.evaluator_version, one.identical,
        one.facts_sha256,
    )  # fmt: skip


def _event(one: ToldEvent) -> WhyEvent:
    return WhyEvent(one.at, one.name, one.text, one.who, one.why, _reasons(one.reasons))


def view(found: Diagnosis) -> Why:
    """The diagnosis as the API shows it."""
    return Why(
        str(found.subject.kind),
        found.number,
        str(found.audience),
        found.narrative,
        found.sentences,
        found.method,
        found.plan,
        _reasons(found.reasons),
        found.changes,
        tuple(map(_offer, found.now)),
        found.checkout_id if found.audience is not Audience.MERCHANT else None,
        tuple(map(_event, found.timeline)),
        tuple(map(_decision, found.decisions)),
        found.proof,
    )


async def _own(call: Call, kind: Kind, id_name: str) -> Why:
    """The buyer's own thing; of anybody else's there is nothing."""
    consumer_id = call.actor.consumer_id
    what = f"{kind}/{call.id(id_name)}"
    return view(await diagnose.diagnose(call.context, what, Audience.BUYER, call.locale, owner=consumer_id))


@resource("GET", "/v1/orders/{order}/why", answer=Why)
async def of_order(call: Call) -> Why:
    """Why an order of the consumer's could or couldn't be paid, and what works now."""
    subject = Subject(Kind.ORDER, call.actor.consumer_id, call.id("order"))
    return view(await diagnose.of_subject(call.context, subject, Audience.BUYER, call.locale))


@resource("GET", "/v1/payments/{payment}/why", answer=Why)
async def of_payment(call: Call) -> Why:
    """Why one press succeeded, was refused, or still waits."""
    return await _own(call, Kind.PAYMENT, "payment")


@resource("GET", "/v1/payments/{payment}/hold/why", answer=Why)
async def of_hold(call: Call) -> Why:
    """What a payment has set aside of the limit, and until when."""
    return await _own(call, Kind.HOLD, "payment")


@resource("GET", "/v1/refunds/{refund}/why", answer=Why)
async def of_refund(call: Call) -> Why:
    """Where a refund's money is, and why it takes so long."""
    return await _own(call, Kind.REFUND, "refund")


@resource("GET", "/v1/applications/{application}/why", answer=Why)
async def of_application(call: Call) -> Why:
    """Why an application for the credit line was decided so."""
    return await _own(call, Kind.APPLICATION, "application")


@resource("GET", "/v1/credit/why", answer=Why)
async def of_limit(call: Call) -> Why:
    """How the consumer's line and limits stand, and how they came to be so."""
    subject = Subject(Kind.LIMIT, call.actor.consumer_id)
    return view(await diagnose.of_subject(call.context, subject, Audience.BUYER, call.locale))


@resource(
    "GET", "/v1/merchant/orders/{number}/why", answer=Why, who=("merchant",), scopes=(Scope.PAYMENTS_READ,)
)  # fmt: skip
async def of_merchants_order(call: Call) -> Why:
    """Why a buyer couldn't pay for the merchant's goods in this order (its short number): what concerns the merchant.

    Orders without the merchant's goods are not found.
    """
    what, merchant_id = f"order/{call.path['number']}", call.actor.merchant_id
    return view(await diagnose.diagnose(call.context, what, Audience.MERCHANT, call.locale, merchant_id=merchant_id))


@resource("GET", "/v1/why", answer=Why, who=("staff",), query=("number", "audience", "why"), problems=(422,))
async def of_anything(call: Call) -> Why:
    """The diagnosis of whatever `number` stands for (an order, a payment, an application, a refund, a consumer's line,
    a number at a channel), for `audience` (support). `why` it is looked at is kept; hidden reasons are for those whose
    role allows it.
    """
    context, audience = call.context, _audience(call.query.get("audience", "support"))
    async with context.database.transaction() as tx:
        member = await staff.get(tx, call.actor.staff_id)
        if audience is Audience.RISK:
            staff.check_may(member, Action.SEE_HIDDEN_REASONS)
        subject = await diagnose_find.find(tx, call.query.get("number", ""))
        concerned = f"consumer:{subject.consumer_id}" if subject.order_id is None else f"order:{subject.order_id}"
        why, detail = call.query.get("why", ""), {"audience": str(audience)}
        await staff.audit(tx, member, Action.SEE_DIAGNOSIS, concerned, why, context.now(), dict[str, object](detail))
    return view(await diagnose.of_subject(context, subject, audience, call.locale))


def _audience(text: str) -> Audience:
    found = next((one for one in Audience if one == text), None)
    if found is None:
        raise Refusal("AUDIENCE_UNKNOWN", f"one of {', '.join(Audience)}")
    return found
