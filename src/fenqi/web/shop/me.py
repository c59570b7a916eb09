"""My page and the demo's phone: where everything of one's own is found."""

from __future__ import annotations

from starlette.responses import Response

from fenqi import credit, customer
from fenqi.kernel.refusal import NotFound
from fenqi.web.page import Visit, Who, get
from fenqi.web.shop.money import balance_of


async def me(visit: Visit) -> Response:
    """GET /me."""
    context, consumer_id = visit.context, visit.consumer_id
    async with context.database.snapshot() as tx:
        consumer = await customer.get(tx, consumer_id)
        person = await customer.person(tx, context.keys, consumer_id)
        ref = await context.reference.current(tx, context.now())
        line = await credit.credit_facts_of(tx, consumer_id, context.now(), ref.product)
        balance = await balance_of(tx, consumer_id)
    return visit.render(
        "shop/me.html", person=person, state=line.state, cards=consumer.cards, balance_minor=balance.balance_minor
    )


async def phone(visit: Visit) -> Response:
    """GET /phone: the demo's phone, with one's own messages, or everybody's latest before signing in."""
    if not visit.context.settings.demo:
        raise NotFound("NOT_FOUND", "only in the demo")
    owner = None if visit.consumer is None else visit.consumer_id
    async with visit.context.database.autocommit() as tx:
        found = await customer.messages(tx, owner)
    return visit.render("shop/phone.html", messages=found)


ROUTES = [get("/me", me, Who.CONSUMER), get("/phone", phone)]
