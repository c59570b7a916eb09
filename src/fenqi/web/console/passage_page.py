"""One passage: its health, maintenance, terms and credentials, and what an operator does about them."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from fenqi import passage, staff
from fenqi.channels import shelf
from fenqi.database.pool import Tx
from fenqi.kernel.by import check_why
from fenqi.kernel.refusal import Refusal
from fenqi.passage import Passage, PassageState
from fenqi.passage.model import MOVES
from fenqi.staff import Action
from fenqi.web.console.act import check_may, instant, keep
from fenqi.web.console.chart import MINUTES, chart
from fenqi.web.console.find import member_of
from fenqi.web.console.story import actor_of
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.template import own

_SHOWN = 30
_BY_HAND = (PassageState.ACTIVE, PassageState.SUSPENDED, PassageState.BANNED)
"""The states into which the console moves a passage."""


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/channels/{code}."""
    check_may(visit, Action.SEE_CHANNELS)
    now = visit.context.now()
    async with visit.context.database.snapshot() as tx:
        found = await passage_of(visit, tx)
        ref = await visit.context.reference.current(tx, now)
        health = (await passage.healths(tx)).get(found.passage_id, passage.Health())
        minutes = await passage.minutes(tx, [found.passage_id], now - timedelta(minutes=MINUTES))
        changes = await passage.changes(tx, found.passage_id, _SHOWN)
        history = await passage.get_history(tx, found.passage_id)
        names = {one.staff_id: one.name for one in await staff.get_all(tx)}
    why, until_at = passage.hindrance(found, health, now)
    seller = ref.sellers.get(found.merchant_id) if found.merchant_id is not None else None
    observed = minutes.get(found.passage_id, [])
    return visit.render(
        "console/passage.html",
        200 if no is None else no.status,
        one=found,
        owner="" if seller is None else own(seller.merchant, "name", visit.locale),
        standing=passage.standing(health, now),
        health=health,
        why=why,
        until_at=until_at,
        chart=chart(observed, now),
        minutes=list(reversed(observed)),
        changes=changes,
        history=list(reversed(history))[:_SHOWN],
        since_at=_since(found, history),
        windows=sorted(found.windows, key=lambda window: window.from_at, reverse=True)[:_SHOWN],
        into=[state for state in _BY_HAND if state in MOVES[found.state]],
        capabilities=shelf.channel(found.channel).capabilities,
        fields=shelf.channel(found.channel).fields,
        values=plain_values(visit, found),
        has_gateway=bool(visit.context.settings.gateway_url),
        actor=lambda name: actor_of(name, names),
        may_run=member_of(visit).may(Action.RUN_CHANNELS),
        error=visit.error(no),
    )


async def passage_of(visit: Visit, tx: Tx) -> Passage:
    """The passage of the code in the path. Refuses PASSAGE_UNKNOWN."""
    return await passage.by_code(tx, visit.request.path_params["code"])


def _since(found: Passage, history: list[passage.HistoryRow]) -> object:
    """Since when the passage is in its state."""
    return next((row.at for row in reversed(history) if row.to_state == found.state), found.registered_at)


def plain_values(visit: Visit, found: Passage) -> dict[str, str]:
    """The values of the credentials in use that are no secrets, by name; none before there are any."""
    ring = passage.keyring(visit.context.keys, found, visit.context.now())
    open_ones = {field.name for field in shelf.channel(found.channel).fields if not field.secret}
    return {} if ring is None else {name: text for name, text in ring.current.values.items() if name in open_ones}


async def change_state(visit: Visit) -> Response:
    """POST /console/channels/{code}/state: ban, suspend, take back."""
    try:
        to_state = next((one for one in _BY_HAND if one == visit.form.text("to_state", 20)), None)
        if to_state is None:
            raise Refusal("CHOICE_UNKNOWN", "no such state", field="to_state")
        async with visit.context.database.transaction() as tx:
            found = await passage_of(visit, tx)
            by = await keep(visit, tx, Action.RUN_CHANNELS, f"passage:{found.passage_id}", to_state=str(to_state))
            await passage.change_state(tx, found.passage_id, to_state, by)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(f"/console/channels/{found.code}", notice=f"state_{to_state}")


async def plan(visit: Visit) -> Response:
    """POST /console/channels/{code}/maintenance: let it rest from one instant to another."""
    try:
        from_at, until_at, key = instant(visit, "from_at"), instant(visit, "until_at"), visit.form.id("key")
        async with visit.context.database.transaction() as tx:
            found = await passage_of(visit, tx)
            detail = {"from_at": from_at.isoformat(), "until_at": until_at.isoformat()}
            by = await keep(visit, tx, Action.RUN_CHANNELS, f"passage:{found.passage_id}", **detail)
            await passage.plan_maintenance(tx, found.passage_id, key, from_at, until_at, by)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(f"/console/channels/{found.code}", notice="planned")


async def end(visit: Visit) -> Response:
    """POST /console/channels/{code}/maintenance/end: end a window, or call it off."""
    try:
        window_id = visit.form.id("maintenance_id")
        async with visit.context.database.transaction() as tx:
            found = await passage_of(visit, tx)
            subject = f"passage:{found.passage_id}"
            by = await keep(visit, tx, Action.RUN_CHANNELS, subject, ends_maintenance=str(window_id))
            await passage.end_maintenance(tx, found.passage_id, window_id, by)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(f"/console/channels/{found.code}", notice="ended")


def said_why(visit: Visit) -> str:
    """The reason on the form. Refuses WHY_REQUIRED."""
    return check_why(visit.form.text("why"))


ROUTES = [
    get("/console/channels/{code}", page, Who.STAFF),
    post("/console/channels/{code}/state", change_state, Who.STAFF),
    post("/console/channels/{code}/maintenance", plan, Who.STAFF),
    post("/console/channels/{code}/maintenance/end", end, Who.STAFF),
]
