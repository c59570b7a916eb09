"""The cashier's page: every way to pay, what it costs, why others can't, and what would make them work."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi import attempt, cashier, customer, merchant, order
from fenqi.attempt import Attempt
from fenqi.channels.shelf import EXTERNAL
from fenqi.customer import Card
from fenqi.database.pool import Tx
from fenqi.flows import at_stake, pay, quote
from fenqi.flows.quote import Quote
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import bucket_of, parse_id
from fenqi.kernel.money import parse_minor
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.order import Order, OrderState
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.saying import ToldReason
from fenqi.web.shop.client import client_of
from fenqi.web.shop.told import CARD, Part, Teller
from fenqi.web.shop.told import Card as MethodCard


async def open_cashier(visit: Visit) -> Response:
    """GET /orders/{order_id}/pay: the order's checkout."""
    consumer_id = visit.consumer_id
    async with visit.context.database.autocommit() as tx:
        found = await order.get(tx, consumer_id, visit.id("order_id"))
        intents = await cashier.checkouts_of(tx, bucket_of(consumer_id), consumer_id, [found.order_id])
    if found.order_id not in intents:
        raise NotFound("CHECKOUT_UNKNOWN", "the order has no checkout")
    return visit.redirect(f"/cashier/{intents[found.order_id]}")


async def page(visit: Visit) -> Response:
    """GET /cashier/{intent_id}?method=&plan=&part_method=&part=."""
    client = client_of(visit.request)
    found = await quote.quote(visit.context, visit.consumer_id, visit.id("intent_id"), client, visit.declared)
    if found.order.state is OrderState.PAID:
        return visit.redirect(f"/orders/{found.order.order_id}")
    ref = visit.context.reference.newest
    assert ref is not None, "a quote has just read it"
    whole = Teller(found, ref, visit.locale)
    part, error, against = _part(visit, whole)
    told = Teller(found, ref, visit.locale, part)
    now = visit.context.now()
    payable = found.order.state is OrderState.AWAITING_PAYMENT and now < found.order.pay_by_at
    async with visit.context.database.snapshot() as tx:
        bound = await customer.cards(tx, visit.consumer_id)
        under_way = await _under_way(tx, visit.consumer_id, found.order)
    cards = [card for card in told.cards(visit.query("method"), visit.query("plan")) if _fits(card, part)]
    await _note_wanted(visit, found.intent_id, cards)
    if await at_stake.arm(visit.context, visit.consumer_id) == "bare":
        cards = [told.bare(card) for card in cards]
    return visit.render(
        "shop/cashier.html",
        quote=found,
        order=found.order,
        payable_minor=found.order.payable_minor,
        rest_minor=found.order.payable_minor - (part.amount_minor if part is not None else 0),
        cards=cards,
        part=part,
        error=visit.error(error),
        against=against,
        payable=payable,
        left=_clock(found.order.pay_by_at - now),
        parts=whole.parts() if payable and part is None else [],
        typed={"method": visit.query("part_method", 30), "amount": visit.query("part", 20)},
        bound=_choices(found, bound, part),
        under_way=under_way,
        here=f"/cashier/{found.intent_id}",
    )


async def _note_wanted(visit: Visit, intent_id: UUID, cards: list[MethodCard]) -> None:
    """Who picks a method that can't be used wants it: that is counted."""
    picked = next((card for card in cards if card.method == visit.query("method") and not card.available), None)
    if picked is not None:
        await at_stake.note(visit.context, "wanted", visit.consumer_id, intent_id, picked.method, picked.chosen)


def _fits(card: MethodCard, part: Part | None) -> bool:
    """Whether a method may pay the rest beside a part: two of them outside may not, whatever else is the matter."""
    return part is None or part.method not in EXTERNAL or not card.is_outside


async def _under_way(tx: Tx, consumer_id: UUID, bought: Order) -> Attempt | None:
    """A try at a channel that the order waits for."""
    if not bought.attempts_open:
        return None
    tries = await attempt.of_order(tx, consumer_id, bought.order_id)
    return next((one for one in reversed(tries) if one.is_open), None)


class CardChoice(NamedTuple):
    """A bound card; `hindered` says that its bank has refused it lately."""

    card: Card
    hindered: bool


def _choices(found: Quote, bound: list[Card], part: Part | None) -> list[CardChoice]:
    """The bound cards, those that nothing was said against first."""
    amount_minor = found.order.payable_minor
    if part is not None:
        amount_minor = part.amount_minor if part.method == CARD else amount_minor - part.amount_minor
    refused = cashier.cards_refused(found.facts, amount_minor)
    told = [CardChoice(card, str(card.card_id) in refused) for card in bound]
    return sorted(told, key=lambda choice: choice.hindered)


def _part(visit: Visit, told: Teller) -> tuple[Part | None, Refusal | None, tuple[ToldReason, ...]]:
    """The part that the address asks to be paid by another method; else why it can't be."""
    typed, method = visit.query("part", 20), visit.query("part_method", 30)
    facts = told.quote.facts
    if not typed:
        return None, None, ()
    try:
        amount_minor = parse_minor(typed.replace(",", "").removeprefix("¥"))
        if amount_minor >= facts.order.payable_minor:
            raise Refusal("PART_TOO_LARGE", "a part is less than the whole")
        if not any(one.method == method and "mixed" in one.capabilities for one in facts.methods):
            raise Refusal("METHOD_UNKNOWN", "no method that pays a part")
    except Refusal as no:
        return None, no, ()
    part = Part(method, amount_minor)
    against = told.against(part)
    return (None, None, against) if against else (part, None, ())


_LAST_HOUR = timedelta(hours=1)


def _clock(left: timedelta) -> str:
    """Minutes and seconds of the last hour; before it, the date says enough."""
    if left > _LAST_HOUR:
        return ""
    seconds = max(0, int(left.total_seconds()))
    return f"{seconds // 60:02d}:{seconds % 60:02d}" if seconds <= 3600 else ""


async def press(visit: Visit) -> Response:
    """POST /cashier/{intent_id}/pay: one press of the button; the page's payment id is its key."""
    form = visit.form
    part = None
    if form.text("part_method"):
        part = (form.text("part_method", 30), form.count("part_minor", 10**12))
    method, plan = form.required("method", 30), form.required("plan", 30)
    intent_id, decision_id = visit.id("intent_id"), parse_id(form.text("decision_id"))
    card_id, client = parse_id(form.text("card_id", 40)), client_of(visit.request)
    asked = f"{intent_id}/{method}/{plan}/{part}/{card_id}".encode()
    payment_id = visit.key("payment_id", "payment")
    request = PayRequest(
        visit.consumer_id, payment_id, intent_id, method, plan, hashlib.sha256(asked).digest(), decision_id, part,
        card_id, client, device=visit.declared,
    )  # fmt: skip
    payment = await pay.pay(visit.context, request)
    if payment.outcome == "pending":
        return visit.redirect(f"/payments/{payment.payment_id}", go="1")
    return visit.redirect(f"/payments/{payment.payment_id}")


async def ask_seller(visit: Visit) -> Response:
    """POST /sellers/ask: tell an order's sellers that a buyer misses a method."""
    form = visit.form
    method, order_id = form.required("method", 30), form.id("order_id")
    async with visit.context.database.transaction() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        bought = await order.get(tx, visit.consumer_id, order_id)
        for merchant_id in sorted({line.merchant_id for line in bought.lines}):
            if method not in ref.sellers[merchant_id].methods(visit.context.now().date()):
                await merchant.ask(tx, merchant_id, method, visit.consumer_id, bought.scene, visit.context.now())
        intent_id = await _intent(tx, visit.consumer_id, order_id)
    return visit.redirect(f"/cashier/{intent_id}", notice="asked_seller")


async def _intent(tx: Tx, consumer_id: UUID, order_id: UUID) -> UUID:
    intents = await cashier.checkouts_of(tx, bucket_of(consumer_id), consumer_id, [order_id])
    found: UUID = intents[order_id]
    return found


ROUTES = [
    get("/orders/{order_id}/pay", open_cashier, Who.CONSUMER),
    get("/cashier/{intent_id}", page, Who.CONSUMER),
    post("/cashier/{intent_id}/pay", press),
    post("/sellers/ask", ask_seller),
]
