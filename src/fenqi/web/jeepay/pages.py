"""Pages for the buyers of partners who come from Jeepay: our cashier for a pay order, and the way back to the shop."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from fenqi import jeepay, merchant
from fenqi.flows import jeepay as flow
from fenqi.flows.jeepay_standing import pay_fields, standing
from fenqi.kernel.clock import epoch_ms
from fenqi.web.page import Visit, Who, get, post


async def look(visit: Visit) -> Response:
    """GET /jeepay/{merchant}/{order}/cashier: what is to be paid and to whom, before a signed-in buyer takes it on."""
    async with visit.context.database.snapshot() as tx:
        found = await flow.found_by(tx, visit.id("merchant"), visit.id("order"))
        stands = await standing(tx, found, visit.context.now())
        seller = await merchant.get(tx, found.merchant_id)
    return visit.render("shop/partner.html", asked=found, seller=seller, can_pay=int(stands.state) < 2)


async def take(visit: Visit) -> Response:
    """POST /jeepay/{merchant}/{order}/cashier: the order becomes this buyer's, and goes to the cashier."""
    intent_id = await flow.take(visit.context, visit.consumer_id, visit.id("merchant"), visit.id("order"))
    return visit.redirect(f"/cashier/{intent_id}")


async def back(visit: Visit) -> Response:
    """GET /jeepay/{merchant}/{order}/return: from the channel back to the shop, with how the pay order stands, signed.

    Without an address of the shop's to go to, to ours.
    """
    context = visit.context
    async with context.database.snapshot() as tx:
        found = await flow.found_by(tx, visit.id("merchant"), visit.id("order"))
        stands = await standing(tx, found, context.now())
        app = await jeepay.get_app(tx, found.app_id)
        mch_no = (await merchant.get(tx, found.merchant_id)).number
    if not found.return_url:
        return visit.redirect("/")
    told = {name: value for name, value in pay_fields(stands, mch_no).items() if value is not None}
    told["reqTime"] = epoch_ms(context.now())
    told["sign"] = jeepay.sign(told, context.keys.unseal(app.sealed, app.app_id))
    glue = "&" if "?" in found.return_url else "?"
    return RedirectResponse(f"{found.return_url}{glue}{urlencode(told)}", 303)


ROUTES = [
    get("/jeepay/{merchant}/{order}/cashier", look, Who.CONSUMER),
    post("/jeepay/{merchant}/{order}/cashier", take),
    get("/jeepay/{merchant}/{order}/return", back),
]
