"""Each decision on an order in full: all layers, as each audience reads them, and its replay on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from fenqi import attempt, cashier, order, staff
from fenqi.cashier import StoredDecision
from fenqi.database.pool import Tx
from fenqi.flows import diagnose_told, dossier, replay
from fenqi.kernel.ids import bucket_of, parse_id
from fenqi.kernel.reason import Layer, Reason
from fenqi.order import Order
from fenqi.staff import Action
from fenqi.texts import Audience
from fenqi.web.console.find import member_of, turned_to_ask
from fenqi.web.console.why import audience_of, audiences
from fenqi.web.page import Visit, Who, get, post


async def page(visit: Visit) -> Response:
    """GET /console/orders/{number}/decisions?decision=&method=&plan=&audience=&replayed=."""
    async with visit.context.database.snapshot() as tx:
        found = await found_order(visit, tx)
        away = await turned_to_ask(visit, tx, f"order:{found.order_id}", found.number)
        if away is not None:
            return away
        decisions = await dossier.decisions_of(tx, found)
        payments = await cashier.select_payments_of_order(
            tx, bucket_of(found.consumer_id), found.consumer_id, found.order_id
        )
        tries = await attempt.of_order(tx, found.consumer_id, found.order_id)
    wanted = parse_id(visit.query("decision"))
    chosen = next((one for one in decisions if one.decision_id == wanted), decisions[-1] if decisions else None)
    audience = audience_of(visit)
    return visit.render(
        "console/diagnosis.html",
        order=found,
        decisions=list(reversed(decisions))[:20],
        decision=chosen,
        payments=list(reversed(payments)),
        tries=list(reversed(tries)),
        audience=audience,
        audiences=audiences(visit),
        replayed=visit.query("replayed", 10),
        link=_link(visit, chosen, audience),
        **_shown(visit, chosen, audience),
    )


async def found_order(visit: Visit, tx: Tx) -> Order:
    """The order of the number in the path."""
    consumer_id, order_id = await order.find(tx, visit.request.path_params["number"])
    return await order.get(tx, consumer_id, order_id)


def _shown(visit: Visit, decision: StoredDecision | None, audience: Audience) -> dict[str, Any]:
    """The offer looked at, as the audience sees it, and its reasons by layer."""
    if decision is None:
        return {"offers": (), "shown": None, "seen": None, "tree": []}
    offers = diagnose_told.offers_of(decision)
    method, plan = visit.query("method", 30), visit.query("plan", 30)
    shown = next((one for one in offers if (one.method, one.plan or "-") == (method, plan)), None)
    shown = shown or next((one for one in offers if not one.available), offers[0])
    seen = cashier.offer_for(shown, audience)
    return {"offers": offers, "shown": shown, "seen": seen, "tree": tree(seen.reasons)}


def tree(reasons: tuple[Reason, ...]) -> list[tuple[Layer, list[Reason]]]:
    """All nine layers in order with the reasons that arose in each."""
    return [(layer, [one for one in reasons if one.meta.layer is layer]) for layer in Layer]


def _link(visit: Visit, decision: StoredDecision | None, audience: Audience) -> Callable[..., str]:
    """The address of this page with some choices changed."""
    kept = {name: visit.query(name, 40) for name in ("method", "plan") if visit.query(name, 40)}
    kept["audience"] = str(audience)
    if decision is not None:
        kept["decision"] = str(decision.decision_id)

    def link(**changes: str | UUID) -> str:
        return f"{visit.request.url.path}?{urlencode(kept | {k: str(v) for k, v in changes.items()})}"

    return link


async def replay_decision(visit: Visit) -> Response:
    """POST /console/orders/{number}/replay: evaluate the stored facts again; who and why are kept."""
    form, context = visit.form, visit.context
    decision_id = form.id("decision_id")
    async with context.database.transaction() as tx:
        found = await found_order(visit, tx)
        subject = f"decision:{decision_id}"
        await staff.audit(tx, member_of(visit), Action.REPLAY_DECISION, subject, form.text("why"), context.now())
    stored = await replay.decision(context, found.consumer_id, decision_id)
    same = replay.is_identical(stored, context.reference.product)
    answer = "same" if same else "differs"
    return visit.redirect(f"/console/orders/{found.number}/decisions", decision=str(decision_id), replayed=answer)


ROUTES = [
    get("/console/orders/{number}/decisions", page, Who.STAFF),
    post("/console/orders/{number}/replay", replay_decision, Who.STAFF),
]
