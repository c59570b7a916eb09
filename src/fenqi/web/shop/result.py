"""A payment: while its channel decides, how to get there and what is known; then the loan with its schedule and
annualised cost, or every reason why not, with ways on.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fenqi import attempt, cashier, credit, order
from fenqi.attempt import Attempt
from fenqi.cashier import Offer, Payment
from fenqi.credit import build, terms_of_loan
from fenqi.database.pool import Tx
from fenqi.flows import charge, quote
from fenqi.kernel.ids import parse_id
from fenqi.order import Order, OrderState
from fenqi.texts import Audience
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop import waiting
from fenqi.web.shop.client import client_of
from fenqi.web.shop.giving_back import Progress, progress_of
from fenqi.web.shop.told import Teller

PPM = 1_000_000
_OTHERS_MOST = 3
_DECIDED = ("succeeded", "refused")


class Seen(NamedTuple):
    """A payment with its order, its latest try at a channel, and what of it goes back."""

    payment: Payment
    order: Order
    tried: Attempt | None
    backs: list[Progress]

    @property
    def outcome(self) -> str:
        """The payment's own; of a refused one whose money came all the same, that it goes back."""
        came_late = self.tried is not None and self.tried.disposition == "returned"
        return "returned" if self.payment.outcome != "succeeded" and came_late else self.payment.outcome


async def page(visit: Visit) -> Response:
    """GET /payments/{payment_id}?go=1: with `go` the browser is led on to the channel at once."""
    seen = await _look(visit)
    payment, here = seen.payment, f"/payments/{seen.payment.payment_id}"
    values: dict[str, Any] = {"payment": payment, "order": seen.order, "backs": seen.backs}
    if seen.outcome in _DECIDED or seen.tried is None:
        return await _decided(visit, seen, values)
    wait = waiting.told(visit, seen.outcome, seen.tried, seen.backs, f"{here}/state.json")
    values |= {
        "wait": wait,
        "here": here,
        "leaves": visit.query("go", 1) == "1",
        "amount_minor": payment.amount_minor,
        "tenders": payment.tenders,
        "back": f"/cashier/{payment.intent_id}",
        "again": _is_open(visit, seen.order),
    }
    return waiting.leading(visit.render("shop/waiting.html", **values), wait.handover)


async def state(visit: Visit) -> Response:
    """GET /payments/{payment_id}/state.json: for the page that waits."""
    seen = await _look(visit)
    if seen.tried is None:
        return visit.redirect(f"/payments/{seen.payment.payment_id}")
    return waiting.state(seen.outcome, seen.tried, seen.backs)


async def _look(visit: Visit) -> Seen:
    """The payment as it stands, its channel asked if it is time to."""
    context, consumer_id = visit.context, visit.consumer_id
    payment = await charge.standing(context, consumer_id, visit.id("payment_id"))
    if payment.attempt_id is not None and payment.outcome in ("pending", "unknown"):
        await waiting.look(visit, payment.attempt_id)
        payment = await charge.standing(context, consumer_id, payment.payment_id)
    async with context.database.snapshot() as tx:
        bought = await order.get(tx, consumer_id, payment.order_id)
        if payment.attempt_id is None:
            return Seen(payment, bought, None, [])
        tries = await attempt.of_payment(tx, consumer_id, payment.payment_id)
        backs = await progress_of(tx, consumer_id, [one for one in tries if one.disposition == "returned"])
    return Seen(payment, bought, _shown(tries, payment.attempt_id), backs)


def _shown(tries: list[Attempt], latest_id: UUID) -> Attempt:
    """The try to tell of: the latest, unless the money of an earlier one goes back."""
    returned = [one for one in tries if one.disposition == "returned"]
    return returned[-1] if returned else next(one for one in tries if one.attempt_id == latest_id)


async def _decided(visit: Visit, seen: Seen, values: dict[str, Any]) -> Response:
    payment = seen.payment
    async with visit.context.database.snapshot() as tx:
        values |= await _loan(visit, tx, payment)
    values |= {"here": f"/cashier/{payment.intent_id}", "others": [], "again": _is_open(visit, seen.order)}
    if payment.outcome != "succeeded":
        values |= await _refused(visit, payment)
    return visit.render("shop/result.html", **values)


def _is_open(visit: Visit, bought: Order) -> bool:
    return bought.state is OrderState.AWAITING_PAYMENT and visit.context.now() < bought.pay_by_at


async def _loan(visit: Visit, tx: Tx, payment: Payment) -> dict[str, Any]:
    if payment.loan_id is None:
        return {"loan": None}
    loan = await credit.loan_of(tx, visit.consumer_id, payment.loan_id)
    plan = build(terms_of_loan(loan))
    return {"loan": loan, "rows": plan.rows, "annual_cost_ppm": int(plan.annual_cost * PPM)}


async def _refused(visit: Visit, payment: Payment) -> dict[str, Any]:
    """The refusal as it was, with what would help now, and the best other ways to pay."""
    now = await quote.quote(
        visit.context, visit.consumer_id, payment.intent_id, client_of(visit.request), visit.declared
    )
    ref = visit.context.reference.newest
    assert ref is not None, "a quote has just read it"
    told = Teller(now, ref, visit.locale)
    same = [x for x in now.offers if (x.method, x.plan or "full") == (payment.method, payment.plan)]
    seen = told.reasons(cashier.for_audience(payment.reasons, Audience.BUYER, told.stepped_up))
    current = told.tell(same[0]) if same else None
    others = [told.tell_other(offer) for offer in _others(now.offers, payment.method)]
    if current is None or current.available:
        return {"refused": {"reasons": seen, "remedies": (), "routes": (), "incurable": False}, "others": others}
    return {"refused": current._replace(reasons=seen), "others": others}


def _others(offers: tuple[Offer, ...], than: str) -> list[Offer]:
    """The best usable offer of each other method, cheapest first, three at most."""
    found: list[Offer] = []
    left = [offer for offer in offers if offer.available and offer.method != than]
    while len(found) < _OTHERS_MOST and (best := cashier.next_best(left)) is not None:
        found.append(best)
        left = [offer for offer in left if offer.method != best.method]
    return found


async def cancel(visit: Visit) -> Response:
    """POST /payments/{payment_id}/cancel: close the try at its channel and choose again; what is paid stays paid."""
    context, consumer_id = visit.context, visit.consumer_id
    payment = await charge.standing(context, consumer_id, visit.id("payment_id"))
    by = visit.by("chose not to pay this way")
    is_closed = await charge.withdraw(context, consumer_id, payment.order_id, by)
    payment = await charge.standing(context, consumer_id, payment.payment_id)
    if payment.outcome == "succeeded":
        return visit.redirect(f"/payments/{payment.payment_id}", notice="paid_meanwhile")
    if not is_closed:
        return visit.redirect(f"/payments/{payment.payment_id}", notice="still_open")
    return visit.redirect(f"/cashier/{payment.intent_id}", notice="withdrawn")


async def returned(request: Request) -> Response:
    """POST /payments/{payment_id}: a bank's page sends the buyer back by a form of its own. It is no more than a
    visit: nothing in it is read or believed, and no session comes along from another site."""
    payment_id = parse_id(request.path_params["payment_id"])
    return RedirectResponse(f"/payments/{payment_id}" if payment_id is not None else "/orders", 303)


ROUTES = [
    get("/payments/{payment_id}", page, Who.CONSUMER),
    get("/payments/{payment_id}/state.json", state, Who.CONSUMER),
    post("/payments/{payment_id}/cancel", cancel),
    Route("/payments/{payment_id}", returned, methods=["POST"], include_in_schema=False),
]
