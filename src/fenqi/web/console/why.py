"""Support's one screen: what happened, what to tell the buyer, why, what works now, the timeline, and the proof.

The same page for an order, a press, an application, a limit, a hold and a refund; each look says why and is kept.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from fenqi import cashier
from fenqi.cashier import Facts, StoredDecision
from fenqi.flows import diagnose, diagnose_find, dossier
from fenqi.flows.diagnose import Diagnosis, Subject, ToldOffer
from fenqi.flows.dossier import Dossier
from fenqi.staff import Action
from fenqi.texts import Audience, Locale
from fenqi.web.console.find import member_of, turned_to_ask
from fenqi.web.page import Visit, Who, get

_TIMES = 20
"""How many decisions are listed at once, the newest first."""


async def of_order(visit: Visit) -> Response:
    """GET /console/orders/{number}?audience=."""
    return await _page(visit, f"order/{visit.request.path_params['number']}")


async def of_thing(visit: Visit) -> Response:
    """GET /console/why/{kind}/{id}?audience=: a payment, application, limit, hold or refund."""
    return await _page(visit, f"{visit.request.path_params['kind']}/{visit.request.path_params['id']}")


async def _page(visit: Visit, what: str) -> Response:
    async with visit.context.database.snapshot() as tx:
        subject = await diagnose_find.find(tx, what)
        away = await turned_to_ask(visit, tx, audited(subject), what.removeprefix("order/"))
    if away is not None:
        return away
    found = await dossier.gather(visit.context, subject)
    audience = audience_of(visit)
    told = diagnose.tell(found, audience, visit.locale)
    return visit.render("console/why.html", **_values(visit, found, told))


def audited(subject: Subject) -> str:
    """Whom a look concerns, as the log of actions names it."""
    return f"consumer:{subject.consumer_id}" if subject.order_id is None else f"order:{subject.order_id}"


def audiences(visit: Visit) -> list[Audience]:
    """Whose reading this member may see: hidden reasons are for those whose role allows it."""
    may = member_of(visit).may(Action.SEE_HIDDEN_REASONS)
    return [one for one in Audience if may or one is not Audience.RISK]


def audience_of(visit: Visit) -> Audience:
    """The audience that is asked for, else the best informed one that this member may read."""
    asked = visit.query("audience", 10)
    return next((one for one in audiences(visit) if one == asked), audiences(visit)[-1])


def _values(visit: Visit, found: Dossier, told: Diagnosis) -> dict[str, Any]:
    here = visit.request.url.path
    usable = [one for one in told.now if one.available]
    curable = [one for one in told.now if one.remedies]
    cured = {one.method for one in (*usable, *curable)}
    return {
        "d": told,
        "subject": told.subject,
        "order": found.bought,
        "tries": list(reversed(found.tries)),
        "audiences": audiences(visit),
        "audience": told.audience,
        "link": lambda **query: f"{here}?{urlencode(query)}",
        "say": [(locale, diagnose.tell(found, Audience.BUYER, locale).narrative) for locale in _both(visit.locale)],
        "usable": usable,
        "curable": _first_of_each(curable),
        "incurable": _first_of_each([one for one in told.now if one.method not in cured]),
        "decisions": list(reversed(told.decisions))[:_TIMES],
        "older": max(0, len(told.decisions) - _TIMES),
        "facts": _facts(visit, found),
        "may_see_ledger": member_of(visit).may(Action.SEE_LEDGER),
    }


def _both(first: Locale) -> tuple[Locale, Locale]:
    """Both languages, the reader's own in front: a buyer may speak the other one."""
    return first, first.other


def _first_of_each(offers: list[ToldOffer]) -> list[ToldOffer]:
    """One offer a method: the plans of one read alike for most of it."""
    found: dict[str, ToldOffer] = {}
    for one in offers:
        found.setdefault(one.method, one)
    return list(found.values())


def _facts(visit: Visit, found: Dossier) -> bytes:
    """The raw facts of the last decision; what risk saw only for those who may."""
    stored: StoredDecision | None = found.decisions[-1].stored if found.decisions else None
    if stored is None:
        return b""
    facts: Facts = cashier.decode_facts(stored.facts)
    if not member_of(visit).may(Action.SEE_HIDDEN_REASONS):
        facts = msgspec.structs.replace(facts, risk=cashier.RiskFacts())
    return cashier.encode_facts(facts)


ROUTES = [
    get("/console/orders/{number}", of_order, Who.STAFF),
    get("/console/why/{kind}/{id:path}", of_thing, Who.STAFF),
]
