"""A consumer as staff see them: states and orders, and for accountants the statements of their accounts."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from starlette.responses import Response

from fenqi import attempt, credit, customer, order
from fenqi.database.pool import Tx
from fenqi.flows.facts import MONEY_PATH
from fenqi.kernel.clock import business_date
from fenqi.ledger import limits, statements
from fenqi.ledger.chart import LENDER, PAYMENT_COMPANY, Book
from fenqi.staff import Action
from fenqi.web.console.find import member_of, turned_to_ask
from fenqi.web.page import Visit, Who, get

_SINCE = date(2000, 1, 1)


async def page(visit: Visit) -> Response:
    """GET /console/consumers/{consumer_id}."""
    consumer_id, now = visit.id("consumer_id"), visit.context.now()
    may_see_ledger = member_of(visit).may(Action.SEE_LEDGER)
    async with visit.context.database.snapshot() as tx:
        consumer = await customer.get(tx, consumer_id)
        away = await turned_to_ask(visit, tx, f"consumer:{consumer_id}", str(consumer_id))
        if away is not None:
            return away
        ref = await visit.context.reference.current(tx, now)
        line = await credit.credit_facts_of(tx, consumer_id, now, ref.product)
        orders = await order.of_consumer(tx, consumer_id)
        tries = await attempt.of_consumer(tx, consumer_id)
        accounts = await _accounts(tx, consumer_id, business_date(now)) if may_see_ledger else []
    return visit.render(
        "console/consumer.html",
        consumer=consumer,
        line=line,
        orders=orders,
        tries=tries,
        accounts=accounts,
        may_see_ledger=may_see_ledger,
    )


async def _accounts(tx: Tx, consumer_id: UUID, today_on: date) -> list[dict[str, Any]]:
    """The limit-bearing accounts that the consumer has, each with its statement."""
    found = []
    for path in sorted(await limits.accounts_of(tx, consumer_id)):
        if path.startswith("cap:"):
            continue
        book: Book = PAYMENT_COMPANY if path == MONEY_PATH else LENDER
        statement = await statements.of_consumer(tx, consumer_id, book, path, _SINCE, today_on)
        found.append({"path": path, "book": book, "statement": statement})
    return found


ROUTES = [get("/console/consumers/{consumer_id}", page, Who.STAFF)]
