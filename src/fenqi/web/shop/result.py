"""What came of a payment: the loan with its schedule and annualised cost, or every reason why not, with ways on."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from fenqi import cashier, credit, order
from fenqi.cashier import Payment
from fenqi.credit import build, terms_of_loan
from fenqi.database.pool import Tx
from fenqi.flows import quote
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import NotFound
from fenqi.texts import Audience
from fenqi.web.page import Visit, Who, get
from fenqi.web.shop.told import Teller

PPM = 1_000_000


async def page(visit: Visit) -> Response:
    """GET /payments/{payment_id}."""
    consumer_id = visit.consumer_id
    async with visit.context.database.snapshot() as tx:
        payment = await cashier.select_payment(tx, bucket_of(consumer_id), consumer_id, visit.id("payment_id"))
        if payment is None:
            raise NotFound("PAYMENT_UNKNOWN", "no such payment")
        bought = await order.get(tx, consumer_id, payment.order_id)
        loan = await _loan(visit, tx, payment)
    values: dict[str, Any] = {"payment": payment, "order": bought, "here": f"/cashier/{payment.intent_id}"} | loan
    if payment.outcome != "succeeded":
        values["refused"] = await _refused(visit, payment)
    return visit.render("shop/result.html", **values)


async def _loan(visit: Visit, tx: Tx, payment: Payment) -> dict[str, Any]:
    if payment.loan_id is None:
        return {"loan": None}
    loan = await credit.loan_of(tx, visit.consumer_id, payment.loan_id)
    plan = build(terms_of_loan(loan))
    return {"loan": loan, "rows": plan.rows, "annual_cost_ppm": int(plan.annual_cost * PPM)}


async def _refused(visit: Visit, payment: Payment) -> Any:
    """The refusal as it was, with what would help now."""
    now = await quote.quote(visit.context, visit.consumer_id, payment.intent_id)
    ref = visit.context.reference.newest
    assert ref is not None, "a quote has just read it"
    told = Teller(now, ref, visit.locale)
    same = [x for x in now.offers if (x.method, x.plan or "full") == (payment.method, payment.plan)]
    seen = told.reasons(cashier.for_audience(payment.reasons, Audience.BUYER, told.stepped_up))
    current = told.tell(same[0]) if same else None
    if current is None or current.available:
        return {"reasons": seen, "remedies": (), "routes": (), "incurable": False}
    return current._replace(reasons=seen)


ROUTES = [get("/payments/{payment_id}", page, Who.CONSUMER)]
