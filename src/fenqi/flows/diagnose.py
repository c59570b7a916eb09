"""Diagnosis: everything that was decided about an order, replayed, and told as far as an audience may know. Reads only.

The console and `fenqi explain` show the same: decision → method and plan → layer → reason, with what was observed and
required, and what would have helped.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import cashier, order, texts
from fenqi.cashier import Offer, Payment, StoredDecision
from fenqi.database.pool import Tx
from fenqi.flows import quote, replay
from fenqi.flows.basis import TenderVerdict
from fenqi.flows.context import Context
from fenqi.kernel.ids import bucket_of, parse_id
from fenqi.kernel.reason import Layer, Reason, Value
from fenqi.kernel.refusal import NotFound
from fenqi.order import Order
from fenqi.texts import Audience, Locale

_OFFERS = msgspec.json.Decoder(tuple[Offer, ...])
_TENDERS = msgspec.json.Decoder(tuple[TenderVerdict, ...])


class ToldReason(msgspec.Struct, frozen=True):
    """A reason as its audience reads it."""

    code: str
    layer: Layer
    title: str
    sentence: str
    fixer: str
    observed: dict[str, Value]
    required: dict[str, Value]
    until_ms: int | None


class ToldOffer(msgspec.Struct, frozen=True):
    """A method with a plan: usable, or its reasons, and what would have helped, in words."""

    method: str
    plan: str | None
    available: bool
    reasons: tuple[ToldReason, ...]
    remedies: tuple[tuple[str, ...], ...]
    """Each remedy's steps."""
    routes: tuple[str, ...]

    def layers(self) -> list[tuple[Layer, list[ToldReason]]]:
        """The layers in which something was found, outermost first."""
        found = [(layer, [one for one in self.reasons if one.layer is layer]) for layer in Layer]
        return [(layer, reasons) for layer, reasons in found if reasons]


class ToldDecision(msgspec.Struct, frozen=True):
    """A stored decision, with whether evaluating it again gives the identical verdict."""

    decision_id: UUID
    kind: str
    """offers | payment"""
    decided_at: datetime
    policy_version: str
    evaluator_version: int
    identical: bool
    offers: tuple[ToldOffer, ...]


class Diagnosis(msgspec.Struct, frozen=True):
    """An order with every press of the button and every decision, oldest first."""

    order: Order
    payments: tuple[Payment, ...]
    decisions: tuple[ToldDecision, ...]


async def diagnose(ctx: Context, what: str, audience: Audience, locale: Locale) -> Diagnosis:
    """The diagnosis of an order, by its number, or by the id of one of its payments.

    Where nobody has looked at the cashier yet, what it would say now comes instead, and is not stored. Refuses
    ORDER_UNKNOWN. Who asks must have been checked before.
    """
    async with ctx.database.snapshot() as tx:
        consumer_id, order_id = await find(tx, what)
        bought = await order.get(tx, consumer_id, order_id)
        bucket = bucket_of(consumer_id)
        payments = await cashier.select_payments_of_order(tx, bucket, consumer_id, order_id)
        decisions = await decisions_of(tx, bought)
    decisions = decisions or await _now(ctx, bought)
    told = tuple(_decision(ctx, one, audience, locale) for one in decisions)
    return Diagnosis(bought, tuple(payments), told)


async def _now(ctx: Context, bought: Order) -> list[StoredDecision]:
    """What the cashier would decide at this moment, without keeping it."""
    async with ctx.database.snapshot() as tx:
        bucket = bucket_of(bought.consumer_id)
        intents = await cashier.checkouts_of(tx, bucket, bought.consumer_id, [bought.order_id])
    if bought.order_id not in intents:
        return []
    basis = await quote.gather(ctx, bought.consumer_id, intents[bought.order_id])
    verdict = quote.replay_offers(basis.facts, ctx.reference.product)
    return [basis.stored("offers", basis.facts, verdict, ctx.now())]


async def find(tx: Tx, what: str) -> tuple[UUID, UUID]:
    """(consumer id, order id) of an order's number, or of a payment's id. Refuses ORDER_UNKNOWN."""
    any_id = parse_id(what.strip())
    if any_id is None:
        return await order.find(tx, what)
    payment = await cashier.find_payment(tx, any_id)
    if payment is None:
        raise NotFound("ORDER_UNKNOWN", "no order of this number, and no payment of this id")
    return payment.consumer_id, payment.order_id


async def decisions_of(tx: Tx, bought: Order) -> list[StoredDecision]:
    """Every decision on an order's checkout, oldest first."""
    bucket = bucket_of(bought.consumer_id)
    intents = await cashier.checkouts_of(tx, bucket, bought.consumer_id, [bought.order_id])
    if bought.order_id not in intents:
        return []
    return await cashier.select_decisions(tx, bucket, bought.consumer_id, intents[bought.order_id])


def offers_of(decision: StoredDecision) -> tuple[Offer, ...]:
    """What a decision said, as offers; a payment's verdicts carry no remedies."""
    if decision.kind == "offers":
        return _OFFERS.decode(decision.verdict)
    facts = cashier.decode_facts(decision.facts)
    return tuple(
        Offer(
            one.verdict.method, one.verdict.plan, facts.order.payable_minor - one.covered_minor,
            one.verdict.available, one.verdict.reasons,
        )
        for one in _TENDERS.decode(decision.verdict)
    )  # fmt: skip


def _decision(ctx: Context, stored: StoredDecision, audience: Audience, locale: Locale) -> ToldDecision:
    consumer = cashier.decode_facts(stored.facts).consumer
    now_ms = int(stored.decided_at.timestamp() * 1000)
    stepped_up = consumer.stepped_up_until_ms > now_ms
    return ToldDecision(
        stored.decision_id, stored.kind, stored.decided_at, stored.policy_version, stored.evaluator_version,
        replay.is_identical(stored, ctx.reference.product),
        tuple(_offer(one, audience, locale, stepped_up) for one in offers_of(stored)),
    )  # fmt: skip


def _offer(offer: Offer, audience: Audience, locale: Locale, stepped_up: bool) -> ToldOffer:
    seen = cashier.offer_for(offer, audience, stepped_up)
    remedies = tuple(tuple(texts.render_action(step, locale).label for step in one.actions) for one in seen.remedies)
    routes = tuple(texts.render_route(route.kind, route.usual_ms, route.from_ms, locale).label for route in seen.routes)
    reasons = tuple(_reasons(seen.reasons, audience, locale, stepped_up))
    return ToldOffer(seen.method, seen.plan, seen.available, reasons, remedies, routes)


def _reasons(reasons: Iterable[Reason], audience: Audience, locale: Locale, stepped_up: bool) -> Iterable[ToldReason]:
    for reason in reasons:
        said = texts.tell(reason, audience, locale, stepped_up=stepped_up)
        yield ToldReason(
            said.code, reason.meta.layer, said.title, said.sentence, str(reason.meta.fixer), reason.observed,
            reason.required, reason.until_ms,
        )  # fmt: skip
