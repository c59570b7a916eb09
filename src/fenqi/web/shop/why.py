"""怎么回事 for the buyer: what happened to an order of theirs, why, what has changed, and what works right now.

Own things only; whatever isn't theirs is not found. What the page offers to do the cashier's remedies carry out.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from fenqi.cashier import Offer
from fenqi.flows import diagnose, diagnose_find, dossier, quote
from fenqi.flows.diagnose import Diagnosis, ToldReason
from fenqi.flows.dossier import Dossier
from fenqi.kernel.reason import CODES
from fenqi.order import OrderState
from fenqi.texts import Audience
from fenqi.web import saying
from fenqi.web.page import Visit, Who, get
from fenqi.web.shop.client import client_of
from fenqi.web.shop.told import Teller

_TWINS = frozenset(meta.twin for meta in CODES.values() if meta.twin is not None)


async def of_order(visit: Visit) -> Response:
    """GET /why/{number}."""
    return await _page(visit, f"order/{visit.request.path_params['number']}")


async def of_thing(visit: Visit) -> Response:
    """GET /why/{kind}/{id}: a payment, application, limit, hold or refund of one's own."""
    return await _page(visit, f"{visit.request.path_params['kind']}/{visit.request.path_params['id']}")


async def _page(visit: Visit, what: str) -> Response:
    async with visit.context.database.snapshot() as tx:
        subject = await diagnose_find.find(tx, what, visit.consumer_id)
    found = await dossier.gather(visit.context, subject)
    told = diagnose.tell(found, Audience.BUYER, visit.locale)
    return visit.render(
        "shop/why.html",
        d=told,
        subject=subject,
        order=found.bought,
        reasons=tuple(map(_shown, told.reasons)),
        hides=not found.stepped_up and any(one.code in _TWINS for one in told.reasons),
        is_paid=found.bought is not None and found.bought.state is OrderState.PAID,
        here=visit.request.url.path,
        **await _now(visit, found, told),
    )


def _shown(reason: ToldReason) -> saying.ToldReason:
    return saying.ToldReason(
        reason.code, reason.title, reason.sentence, reason.fixer, str(reason.layer), reason.until_ms
    )


async def _now(visit: Visit, found: Dossier, told: Diagnosis) -> dict[str, Any]:
    """What the cashier says at this moment of the method that was wanted, and the others that are usable."""
    nothing: dict[str, Any] = {"current": None, "usable": (), "intent_id": None}
    bought = found.bought
    if bought is None or bought.state is OrderState.PAID or told.checkout_id is None:
        return nothing
    shown = await quote.quote(visit.context, visit.consumer_id, told.checkout_id, client_of(visit.request))
    teller = Teller(shown, found.ref, visit.locale)
    same = [one for one in shown.offers if (one.method, one.plan or "full") == (told.method, told.plan)]
    return {
        "current": teller.tell(same[0]) if same else None,
        "usable": _usable(shown.offers),
        "intent_id": told.checkout_id,
    }


def _usable(offers: tuple[Offer, ...]) -> list[Offer]:
    """The first usable plan of each method."""
    found: dict[str, Offer] = {}
    for one in offers:
        if one.available:
            found.setdefault(one.method, one)
    return list(found.values())


ROUTES = [
    get("/why/{number}", of_order, Who.CONSUMER),
    get("/why/{kind}/{id:path}", of_thing, Who.CONSUMER),
]
