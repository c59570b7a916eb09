"""My orders: the list, and one with its lines, history, payments and why any was refused; cancelling, refunding."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from fenqi import cashier, order
from fenqi.cashier import Payment
from fenqi.flows import presale, shop
from fenqi.flows.reference import Reference
from fenqi.kernel.ids import bucket_of, parse_id
from fenqi.order import Order, OrderState
from fenqi.texts import Audience
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.saying import ToldReason, tell_reasons
from fenqi.web.shop.told import reason_names

_PAGE = 20


async def page(visit: Visit) -> Response:
    """GET /orders?before=."""
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        found = await order.of_consumer(tx, visit.consumer_id, parse_id(visit.query("before")), _PAGE)
    older = found[-1].order_id if len(found) == _PAGE else None
    return visit.render("shop/orders.html", orders=found, numbers=_numbers(ref), older=older)


def _numbers(ref: Reference) -> dict[UUID, str]:
    """SKU numbers, for the pictures of what was bought."""
    return {sku_id: item.number for sku_id, item in ref.items.items()}


async def one(visit: Visit) -> Response:
    """GET /orders/{order_id}."""
    consumer_id, now = visit.consumer_id, visit.context.now()
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, now)
        found = await order.get(tx, consumer_id, visit.id("order_id"))
        moves = await order.moves(tx, consumer_id, found.order_id)
        payments = await cashier.select_payments_of_order(tx, bucket_of(consumer_id), consumer_id, found.order_id)
    discount_minor = sum(line.discount_minor for line in found.lines)
    return visit.render(
        "shop/order.html",
        order=found,
        open=found.state is OrderState.AWAITING_PAYMENT and now < found.pay_by_at,
        moves=moves,
        tail_from_at=found.tail_from_at if _awaits_tail(found) else None,
        payments=[(payment, _told(visit, ref, payment)) for payment in reversed(payments)],
        numbers=_numbers(ref),
        merchants={line.merchant_id: ref.sellers[line.merchant_id].merchant for line in found.lines},
        goods_minor=found.payable_minor + discount_minor,
        discount_minor=discount_minor,
        refundable=f"{found.payable_minor // 100}.{found.payable_minor % 100:02d}",
    )


def _told(visit: Visit, ref: Reference, payment: Payment) -> tuple[ToldReason, ...]:
    told: list[ToldReason] = []
    for reason in cashier.for_audience(payment.reasons, Audience.BUYER):
        told += tell_reasons([reason], visit.locale, reason_names(reason, ref, visit.locale))
    return tuple(told)


def _awaits_tail(found: Order) -> bool:
    """Whether the deposit of a presale is paid, so that the final payment is next."""
    return found.presale_stage == "deposit" and found.state is OrderState.PAID


async def pay_tail(visit: Visit) -> Response:
    """POST /orders/{order_id}/tail: the order of the final payment, once its day has come."""
    placed = await presale.place_tail(visit.context, visit.consumer_id, visit.id("order_id"))
    return visit.redirect(f"/cashier/{placed.intent_id}")


async def cancel(visit: Visit) -> Response:
    """POST /orders/{order_id}/cancel."""
    closed = await shop.close_order(visit.context, visit.consumer_id, visit.id("order_id"))
    return visit.redirect(f"/orders/{closed.order_id}", notice="cancelled")


ROUTES = [
    get("/orders", page, Who.CONSUMER),
    get("/orders/{order_id}", one, Who.CONSUMER),
    post("/orders/{order_id}/cancel", cancel),
    post("/orders/{order_id}/tail", pay_tail),
]
