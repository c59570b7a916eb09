"""The accountant's pages: the walk of an order through every journal, and the trial balance of each book."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from starlette.responses import Response

from fenqi import staff
from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import balances
from fenqi.ledger.walk import walk_order
from fenqi.staff import Action
from fenqi.web.console.diagnosis import found_order
from fenqi.web.console.find import member_of, turned_to_ask
from fenqi.web.page import Visit, Who, get
from fenqi.web.template import own


async def journals(visit: Visit) -> Response:
    """GET /console/orders/{number}/journals."""
    staff.check_may(member_of(visit), Action.SEE_LEDGER)
    async with visit.context.database.snapshot() as tx:
        found = await found_order(visit, tx)
        away = await turned_to_ask(visit, tx, f"order:{found.order_id}", found.number)
        if away is not None:
            return away
        ref = await visit.context.reference.current(tx, visit.context.now())
        walked = await walk_order(tx, found.consumer_id, found.order_id)
    names = {merchant_id: own(one.merchant, "name", visit.locale) for merchant_id, one in ref.sellers.items()}
    return visit.render("console/journals.html", order=found, walked=walked, names=names)


async def trial_balance(visit: Visit) -> Response:
    """GET /console/trial-balance?through=."""
    staff.check_may(member_of(visit), Action.SEE_LEDGER)
    through_on = _date(visit)
    async with visit.context.database.snapshot() as tx:
        rows = await balances.trial_balance(tx, through_on)
        dues = await balances.dues(tx)
        clearing = await balances.clearing(tx)
    return visit.render(
        "console/trial_balance.html",
        through_on=through_on,
        books=[(book, list(some)) for book, some in groupby(rows, key=lambda row: row.book)],
        dues=dues,
        clearing=clearing,
    )


def _date(visit: Visit) -> date:
    typed = visit.query("through", 10)
    if not typed:
        return business_date(visit.context.now())
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise Refusal("DATE_INVALID", "not a date") from None


ROUTES = [
    get("/console/orders/{number}/journals", journals, Who.STAFF),
    get("/console/trial-balance", trial_balance, Who.STAFF),
]
