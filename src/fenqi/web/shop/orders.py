"""My orders: the list, and one with its lines, history, payments and why any was refused; cancelling, refunding."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from starlette.responses import Response

from fenqi import attempt, cashier, credit, order
from fenqi.attempt import Attempt
from fenqi.cashier import Payment, Tender
from fenqi.credit import RefundRow
from fenqi.flows import presale, shop
from fenqi.flows.reference import Reference
from fenqi.flows.terms import Terms
from fenqi.kernel.ids import bucket_of, parse_id
from fenqi.order import Order, OrderState
from fenqi.texts import Audience
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.saying import ToldReason, tell_reasons
from fenqi.web.shop.giving_back import Progress, progress_of
from fenqi.web.shop.told import reason_names
from fenqi.web.shop.waiting import outcome_of

_PAGE = 20
_QUIET = frozenset({"attempt", "attempt_ended"})
"""What happened to the order that its payments tell better."""
_TERMS = msgspec.json.Decoder(Terms)


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


class Tried(NamedTuple):
    """One press, and what came of it; `reasons` where it was refused."""

    payment_id: UUID
    outcome: str
    at: datetime
    tenders: tuple[Tender, ...]
    reasons: tuple[ToldReason, ...]
    loan_id: UUID | None
    waits: bool
    """Something is still to be done or known."""


class Refunded(NamedTuple):
    """A refund of the order: where its parts went, and how far what a channel gives back has come."""

    row: RefundRow
    backs: list[Progress]


async def one(visit: Visit) -> Response:
    """GET /orders/{order_id}."""
    consumer_id, now = visit.consumer_id, visit.context.now()
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, now)
        found = await order.get(tx, consumer_id, visit.id("order_id"))
        moves = await order.moves(tx, consumer_id, found.order_id)
        payments = await cashier.select_payments_of_order(tx, bucket_of(consumer_id), consumer_id, found.order_id)
        tries = await attempt.of_order(tx, consumer_id, found.order_id)
        backs = await progress_of(tx, consumer_id, tries)
        refunds = await credit.refunds_of(tx, consumer_id, found.order_id)
    discount_minor = sum(line.discount_minor for line in found.lines)
    return visit.render(
        "shop/order.html",
        order=found,
        open=found.state is OrderState.AWAITING_PAYMENT and now < found.pay_by_at,
        moves=[move for move in moves if move.verb not in _QUIET],
        tail_from_at=found.tail_from_at if _awaits_tail(found) else None,
        tried=_tried(visit, ref, payments, tries),
        refunds=[Refunded(row, [x for x in backs if x.order_refund_id == row.refund_id]) for row in refunds],
        strays=[x for x in backs if x.order_refund_id is None],
        numbers=_numbers(ref),
        merchants={line.merchant_id: ref.sellers[line.merchant_id].merchant for line in found.lines},
        goods_minor=found.payable_minor + discount_minor,
        discount_minor=discount_minor,
        refundable=_yuan(found.payable_minor - sum(row.amount_minor for row in refunds)),
    )


def _yuan(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _tried(visit: Visit, ref: Reference, payments: list[Payment], tries: list[Attempt]) -> list[Tried]:
    """Every press of the order, newest first: the answered ones, and those that only their tries tell of."""
    found = {
        one.payment_id: Tried(
            one.payment_id, one.outcome, one.paid_at, one.tenders or (Tender(one.method, one.plan, one.amount_minor),),
            _told(visit, ref, one), one.loan_id, False,
        )
        for one in payments
    }  # fmt: skip
    for each in tries:
        answered = found.get(each.payment_id)
        if answered is None or answered.outcome not in ("succeeded", "refused"):
            outcome = outcome_of(each)
            found[each.payment_id] = Tried(
                each.payment_id, outcome, each.made_at, tenders_of(each), (), None, outcome in ("pending", "unknown")
            )
        elif each.disposition == "returned" and answered.outcome == "refused":
            found[each.payment_id] = answered._replace(outcome="returned")
    return sorted(found.values(), key=lambda one: one.at, reverse=True)


def tenders_of(tried: Attempt) -> tuple[Tender, ...]:
    """What a try's payment is made of."""
    return _TERMS.decode(tried.terms).tenders


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
