"""The gateways' fault board in the console: what the local gateways are told to do wrong, by operators."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from fenqi.channels.gateway.control import State
from fenqi.channels.gateway.fault import FOR_EVER, Fault
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.staff import Action
from fenqi.web.console import gateway
from fenqi.web.console.act import check_may, keep_apart
from fenqi.web.console.find import member_of
from fenqi.web.page import Visit, Who, get, post

_GROUPS = ("wire", "side", "house", "notifier", "act")
_TIMES = ("1", "2", "5", "20", "-1")


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/gateways?channel=."""
    check_may(visit, Action.SEE_CHANNELS)
    state, stand = await _state(visit)
    wanted = visit.query("channel", 30)
    channel = wanted if state is not None and wanted in {side.channel for side in state.channels} else ""
    kinds = () if state is None else state.catalogue
    return visit.render(
        "console/gateways.html",
        200 if no is None else no.status,
        state=state,
        stand=stand,
        channel=channel,
        groups=[(group, [kind for kind in kinds if kind.by == group]) for group in _GROUPS],
        faults=_of(state, channel),
        kinds={kind.name: kind for kind in kinds},
        for_ever=FOR_EVER,
        times=_TIMES,
        gateway_url=visit.context.settings.gateway_url,
        may_run=member_of(visit).may(Action.RUN_CHANNELS),
        error=visit.error(no),
    )


async def _state(visit: Visit) -> tuple[State | None, str]:
    """The gateways' state, and how they stand: up | none | silent."""
    try:
        return await gateway.said(gateway.control(visit.context).state()), "up"
    except NotFound:
        return None, "none"
    except Refusal:
        return None, "silent"


def _of(state: State | None, channel: str) -> list[Fault]:
    """The faults of a channel (or of all), those that still happen first."""
    if state is None:
        return []
    found = [one for one in state.faults if not channel or one.channel in ("*", channel)]
    return sorted(found, key=lambda one: (one.times == 0, -one.fault_id))


async def set_fault(visit: Visit) -> Response:
    """POST /console/gateways/faults."""
    form = visit.form
    try:
        name, (channel, _, account_id) = form.required("name", 40), form.required("where", 100).partition("/")
        operation, times = form.text("operation", 40) or "*", form.text("times", 3) or "1"
        if times not in _TIMES:
            raise Refusal("CHOICE_UNKNOWN", "no such number of times", field="times")
        params = {key.removeprefix("param_"): value for key, value in form.rest().items()
                  if key.startswith("param_") and value}  # fmt: skip
        there = gateway.control(visit.context)
        await keep_apart(visit, Action.RUN_CHANNELS, f"gateway:{channel}", fault=name, operation=operation, times=times)
        await gateway.said(there.set_fault(channel, name, operation, int(times), account_id or "*", **params))
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect("/console/gateways", notice="fault_set")


async def clear(visit: Visit) -> Response:
    """POST /console/gateways/clear: one fault, or all."""
    try:
        given = visit.form.text("fault_id", 12)
        fault_id = visit.form.count("fault_id", 999_999_999) if given else None
        there = gateway.control(visit.context)
        await keep_apart(visit, Action.RUN_CHANNELS, "gateway:*", clears=given or "all")
        await gateway.said(there.clear_faults(fault_id))
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect("/console/gateways", notice="faults_cleared")


async def board(visit: Visit) -> Response:
    """GET /console/gateways/board: on to the gateways' own board, on their own address. Refuses GATEWAY_ABSENT."""
    check_may(visit, Action.SEE_CHANNELS)
    gateway.control(visit.context)
    return RedirectResponse(f"{visit.context.settings.gateway_url}/", 303)


ROUTES = [
    get("/console/gateways", page, Who.STAFF),
    get("/console/gateways/board", board, Who.STAFF),
    post("/console/gateways/faults", set_fault, Who.STAFF),
    post("/console/gateways/clear", clear, Who.STAFF),
]
