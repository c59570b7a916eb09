"""One loan: its schedule as it stands, the annualised cost, what has happened to it, what settling would cost."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from fenqi import credit, texts
from fenqi.credit import LoanState, RecordedEvent, build, settlement, terms_of_loan
from fenqi.credit.position import rules_of
from fenqi.kernel.clock import business_date
from fenqi.web.page import Visit, Who, get
from fenqi.web.shop.credit import orders_of, shown_loan

PPM = 1_000_000


async def page(visit: Visit) -> Response:
    """GET /credit/loans/{loan_id}."""
    today_on = business_date(visit.context.now())
    async with visit.context.database.snapshot() as tx:
        one = await credit.position_of(tx, visit.consumer_id, visit.id("loan_id"), today_on)
        events = await credit.events_of(tx, visit.consumer_id, one.loan_id) if one.loan.events else []
        orders = await orders_of(tx, visit.consumer_id, [one])
    shown = shown_loan(visit.locale, one, orders)
    is_open = one.loan.state is LoanState.ACTIVE
    terms = terms_of_loan(one.loan)
    return visit.render(
        "shop/loan.html",
        loan=one.loan,
        standing=one.state,
        title=shown.title,
        paid_count=shown.paid_count,
        annual_cost_ppm=int(build(terms).annual_cost * PPM),
        settlement=settlement(terms, one.events, today_on, rules_of(one.loan)) if is_open else None,
        events=[_said(visit, event) for event in reversed(events)],
        today=today_on,
    )


def _said(visit: Visit, event: RecordedEvent) -> dict[str, Any]:
    fields = msgspec.json.decode(event.event)
    key = f"loan.event_{event.kind}"
    known = key if texts.has(key, visit.locale) else "loan.event_other"
    return {"words": texts.t(known, visit.locale, amount_minor=fields.get("amount_minor")), "at": event.recorded_at}


ROUTES = [get("/credit/loans/{loan_id}", page, Who.CONSUMER)]
