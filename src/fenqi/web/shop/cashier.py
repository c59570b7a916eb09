"""The cashier's page: every way to pay, what it costs, why others can't, and what would make them work."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

from starlette.responses import Response

from fenqi import cashier, merchant, order
from fenqi.database.pool import Tx
from fenqi.flows import pay, quote
from fenqi.flows.request import PayRequest
from fenqi.flows.quote import Quote
from fenqi.kernel.ids import bucket_of, parse_id
from fenqi.kernel.money import parse_minor
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.order import OrderState
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop.told import MONEY, Part, Teller


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
    found = await quote.quote(visit.context, visit.consumer_id, visit.id("intent_id"))
    if found.order.state is OrderState.PAID:
        return visit.redirect(f"/orders/{found.order.order_id}")
    part, error = _part(visit, found)
    ref = visit.context.reference.newest
    assert ref is not None, "a quote has just read it"
    told = Teller(found, ref, visit.locale, part)
    cards = told.cards(visit.query("method"), visit.query("plan"))
    money = found.facts.money
    now = visit.context.now()
    payable = found.order.state is OrderState.AWAITING_PAYMENT and now < found.order.pay_by_at
    spare = money.is_open and money.state == "active" and 0 < money.balance_minor < found.order.payable_minor
    return visit.render(
        "shop/cashier.html",
        quote=found,
        order=found.order,
        payable_minor=found.order.payable_minor,
        cards=cards,
        part=part,
        error=error,
        payable=payable,
        left=_clock(found.order.pay_by_at - now),
        balance_minor=money.balance_minor,
        can_mix=payable and part is None and spare,
        here=f"/cashier/{found.intent_id}",
    )


def _part(visit: Visit, found: Quote) -> tuple[Part | None, Refusal | None]:
    """The part that the address asks to be paid by the money account, if it makes sense."""
    typed = visit.query("part", 20)
    if not typed:
        return None, None
    try:
        amount_minor = parse_minor(typed.replace(",", ""))
    except Refusal as no:
        return None, no
    most_minor = min(found.facts.money.balance_minor, found.order.payable_minor - 1)
    if visit.query("part_method") != MONEY or amount_minor > most_minor:
        return None, Refusal("BALANCE_INSUFFICIENT", "the money account holds less than that")
    return Part(MONEY, amount_minor), None


_LAST_HOUR = timedelta(hours=1)


def _clock(left: timedelta) -> str:
    """Minutes and seconds of the last hour; before it, the date says enough."""
    if left > _LAST_HOUR:
        return ""
    """Minutes and seconds to the deadline, once it is within the hour."""
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
    asked = f"{intent_id}/{method}/{plan}/{part}".encode()
    payment_id = visit.key("payment_id", "payment")
    request = PayRequest(
        visit.consumer_id, payment_id, intent_id, method, plan, hashlib.sha256(asked).digest(), decision_id, part
    )
    payment = await pay.pay(visit.context, request)
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
