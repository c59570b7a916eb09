"""Carrying out a remedy: one press, what has to be typed on the way, and back to the cashier when it is done.

A remedy that signs or consents shows what is signed first; everything else goes through `flows.remedy` as it stands.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from fenqi import texts
from fenqi.cashier.action import Activate, GiveConsent, SignAgreement
from fenqi.flows import remedy
from fenqi.flows.remedy import Chosen, Outcome
from fenqi.kernel.refusal import Refusal
from fenqi.web.csrf import FIELD
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop.activate import agreement_of

_SIGNS = (Activate, SignAgreement, GiveConsent)
_KNOWN = "known_"


async def page(visit: Visit) -> Response:
    """GET /remedies/{remedy_id}?ask=a,b&known_x=: what has to be typed for the step at hand, or what is signed."""
    chosen = await remedy.find(visit.context, visit.consumer_id, visit.request.path_params["remedy_id"])
    asks = [name for name in visit.query("ask", 200).split(",") if name]
    known = {k.removeprefix(_KNOWN): v for k, v in visit.request.query_params.items() if k.startswith(_KNOWN)}
    step_at = visit.query("step", 2)
    return await _show(visit, chosen, asks, known, int(step_at) if step_at.isdigit() else 0)


async def _show(
    visit: Visit, chosen: Chosen, asks: list[str], known: dict[str, str], step_at: int, no: Refusal | None = None
) -> Response:
    steps = [texts.render_action(action, visit.locale) for action in chosen.remedy.actions]
    step_at = min(step_at, len(steps) - 1)
    signs = await agreement_of(visit) if asks == ["agreement"] else None
    values: dict[str, Any] = {"signs": signs} if signs is None else {"signs": True, **signs}
    return visit.render(
        "shop/remedy.html",
        200 if no is None else no.status,
        remedy_id=chosen.remedy_id,
        steps=steps,
        step=steps[step_at],
        step_at=step_at,
        needs=[] if signs else asks,
        known=known,
        back=_cashier(chosen),
        error=visit.error(no),
        **values,
    )


async def carry_out(visit: Visit) -> Response:
    """POST /remedies/{remedy_id}: as far as what was typed allows."""
    chosen = await remedy.find(visit.context, visit.consumer_id, visit.request.path_params["remedy_id"])
    given = visit.form.rest(FIELD, "back", "step")
    at = [place for place, action in enumerate(chosen.remedy.actions) if isinstance(action, _SIGNS)]
    if at and given.get("accept_agreement") != "yes":
        return visit.redirect(f"/remedies/{chosen.remedy_id}", ask="agreement", step=str(at[0]))
    try:
        outcome = await remedy.apply(visit.context, visit.consumer_id, chosen.remedy_id, given, visit.declared)
    except Refusal as no:
        if no.code == "REMEDY_OVERTAKEN":
            return visit.redirect(_cashier(chosen), notice="overtaken")
        step = visit.form.text("step", 2)
        known = {k: v for k, v in given.items() if k in ("card_id", "accept_agreement")}
        asks = [name for name in given if name not in known]
        return await _show(visit, chosen, asks, known, int(step) if step.isdigit() else 0, no)
    return _go_on(visit, chosen, outcome, given)


def _go_on(visit: Visit, chosen: Chosen, outcome: Outcome, given: dict[str, str]) -> Response:
    if outcome.needed is not None:
        known = {f"{_KNOWN}{k}": v for k, v in outcome.needed.known.items()}
        if "accept_agreement" in given:
            known[f"{_KNOWN}accept_agreement"] = given["accept_agreement"]
        asks, step = ",".join(outcome.needed.names), str(outcome.steps_done)
        return visit.redirect(f"/remedies/{chosen.remedy_id}", ask=asks, step=step, **known)
    query = {"method": outcome.method, "plan": outcome.plan or "", "notice": "remedy_done"}
    if not outcome.done:
        query["notice"] = "step_done"
    if outcome.part_by is not None:
        query |= {"part_method": outcome.part_by[0], "part": _yuan(outcome.part_by[1])}
    return visit.redirect(f"/cashier/{outcome.intent_id}", **query)


def _yuan(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _cashier(chosen: Chosen) -> str:
    return f"/cashier/{chosen.intent_id}"


ROUTES = [
    get("/remedies/{remedy_id}", page, Who.CONSUMER),
    post("/remedies/{remedy_id}", carry_out),
]
