"""Applying for the line: what is proved already, the income declared, each consent given, then the decision."""

from __future__ import annotations

from starlette.responses import Response

from fenqi import credit, customer
from fenqi.credit import Consent
from fenqi.flows import apply_credit
from fenqi.flows.apply_credit import Declared
from fenqi.kernel.refusal import Refusal
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop.browse import reference_of

_OPEN = ("not_opened", "rejected", "closed_by_lender")


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /credit/apply."""
    context = visit.context
    async with context.database.snapshot() as tx:
        ref = await context.reference.current(tx, context.now())
        consumer = await customer.get(tx, visit.consumer_id)
        person = await customer.person(tx, context.keys, visit.consumer_id)
        line = await credit.credit_facts_of(tx, visit.consumer_id, context.now(), ref.product)
    if line.state not in _OPEN:
        return visit.redirect("/credit")
    return visit.render(
        "shop/apply.html",
        200 if no is None else no.status,
        real_name=consumer.real_name == "verified",
        masked_name=person.masked_name,
        phone=consumer.phone_reachable,
        card=consumer.cards > 0,
        typed="" if no is None else visit.form.text("income", 20),
        consents=[(str(kind), version) for kind, version in ref.product.consent_versions],
        error=visit.error(no),
    )


async def send(visit: Visit) -> Response:
    """POST /credit/apply: the page's application id makes a second click the same application."""
    form, context = visit.form, visit.context
    ref = await reference_of(visit)
    kinds = [kind for kind, _ in ref.product.consent_versions]
    consents = [Consent(kind, form.text(f"consent_{kind}"), True) for kind in kinds if form.text(f"consent_{kind}")]
    bureau = apply_credit.bureau_of(context)
    try:
        declared = Declared(form.amount_minor("income"))
        await apply_credit.apply(
            context, visit.consumer_id, visit.key("application_id", "apply"), declared, consents, bureau
        )
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect("/credit", notice="applied")


ROUTES = [get("/credit/apply", page, Who.CONSUMER), post("/credit/apply", send)]
