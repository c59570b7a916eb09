"""Account and security: name, phone, pay password, and the bank cards."""

from __future__ import annotations

from starlette.responses import Response

from fenqi import customer
from fenqi.kernel.clock import business_date
from fenqi.web.page import Visit, Who, get, post


async def security(visit: Visit) -> Response:
    """GET /security."""
    context, now = visit.context, visit.context.now()
    async with context.database.autocommit() as tx:
        consumer = await customer.get(tx, visit.consumer_id)
        person = await customer.person(tx, context.keys, visit.consumer_id)
    until_on = consumer.id_document_until_on
    return visit.render(
        "shop/security.html",
        consumer=consumer,
        person=person,
        pay_password=str(consumer.pay_password_at(now)),
        lapsed=until_on is not None and until_on < business_date(now),
    )


async def cards(visit: Visit) -> Response:
    """GET /cards."""
    async with visit.context.database.autocommit() as tx:
        found = await customer.cards(tx, visit.consumer_id)
    return visit.render("shop/cards.html", cards=found)


async def unbind(visit: Visit) -> Response:
    """POST /cards/{card_id}/unbind."""
    async with visit.context.database.transaction() as tx:
        await customer.unbind(tx, visit.consumer_id, visit.id("card_id"), visit.by("let the card go"))
    return visit.redirect("/cards", notice="card_unbound")


ROUTES = [
    get("/security", security, Who.CONSUMER),
    get("/cards", cards, Who.CONSUMER),
    post("/cards/{card_id}/unbind", unbind),
]
