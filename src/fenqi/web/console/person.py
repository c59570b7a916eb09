"""A consumer as staff see them: states, orders and groups, and for accountants the statements of their accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

from starlette.responses import Response

from fenqi import attempt, credit, customer, order, staff
from fenqi.customer import Consumer
from fenqi.database.pool import Tx
from fenqi.flows.facts import MONEY_PATH
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import limits, statements
from fenqi.ledger.chart import LENDER, PAYMENT_COMPANY, Book
from fenqi.policy.schema import SEGMENTS
from fenqi.staff import Action
from fenqi.web.console.act import keep
from fenqi.web.console.find import member_of, turned_to_ask
from fenqi.web.console.story import actor_of
from fenqi.web.page import Visit, Who, get, post

_VERBS = frozenset({"grant_segment", "withdraw_segment"})
_SINCE = date(2000, 1, 1)


async def page(visit: Visit, no: Refusal | None = None) -> Response:
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
        names = {one.staff_id: one.name for one in await staff.get_all(tx)}
        granted = [each for each in await customer.get_history(tx, consumer_id) if each.verb in _VERBS]
    return visit.render(
        "console/consumer.html",
        200 if no is None else no.status,
        consumer=consumer,
        line=line,
        orders=orders,
        tries=tries,
        accounts=accounts,
        may_see_ledger=may_see_ledger,
        segments=SEGMENTS,
        granted=list(reversed(granted)),
        actor=lambda name: actor_of(name, names),
        may_change=member_of(visit).may(Action.CHANGE_CONSUMER),
        error=visit.error(no),
    )


async def grant(visit: Visit) -> Response:
    """POST /console/consumers/{consumer_id}/grant: the consumer has shown to belong to a group."""
    return await _change(visit, customer.grant_segment)


async def withdraw(visit: Visit) -> Response:
    """POST /console/consumers/{consumer_id}/withdraw: the consumer belongs to the group no longer."""
    return await _change(visit, customer.withdraw_segment)


async def _change(visit: Visit, verb: Callable[[Tx, UUID, str, By], Awaitable[Consumer]]) -> Response:
    consumer_id = visit.id("consumer_id")
    try:
        segment = visit.form.required("segment", 40)
        if segment not in SEGMENTS:
            raise Refusal("SEGMENT_UNKNOWN", "policy knows no such group", field="segment")
        async with visit.context.database.transaction() as tx:
            subject = f"consumer:{consumer_id}"
            by = await keep(visit, tx, Action.CHANGE_CONSUMER, subject, verb=verb.__name__, segment=segment)
            await verb(tx, consumer_id, segment, by)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(f"/console/consumers/{consumer_id}")


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


ROUTES = [
    get("/console/consumers/{consumer_id}", page, Who.STAFF),
    post("/console/consumers/{consumer_id}/grant", grant, Who.STAFF),
    post("/console/consumers/{consumer_id}/withdraw", withdraw, Who.STAFF),
]
