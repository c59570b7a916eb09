"""Notices of channels as they came: the latest by state, and one with its raw text.

A notice of somebody's payment is looked at with a reason, like the payment; one that belongs to nobody is open to all
who see channels.
"""

from __future__ import annotations

from starlette.responses import Response

from fenqi import attempt
from fenqi.attempt import NoticeRow
from fenqi.staff import Action
from fenqi.web.console.act import before_of, check_may
from fenqi.web.console.find import turned_to_ask
from fenqi.web.console.story import raw_of
from fenqi.web.console.trail import follow
from fenqi.web.page import Visit, Who, get

STATES = ("received", "done", "parked", "refused")
_PAGE = 50
_NOBODY = "-"
"""Stands in the path for the number of a notice that could not be read."""


async def page(visit: Visit) -> Response:
    """GET /console/notices?state=&before=."""
    check_may(visit, Action.SEE_CHANNELS)
    wanted, before_at = visit.query("state", 20), before_of(visit)
    state = wanted if wanted in STATES else None
    async with visit.context.database.snapshot() as tx:
        found = await attempt.latest_notices(tx, _PAGE + 1, before_at, state)
    return visit.render(
        "console/notices.html",
        notices=found[:_PAGE],
        state=state,
        states=STATES,
        path_of=path_of,
        before=found[_PAGE - 1].received_at.isoformat() if len(found) > _PAGE else "",
        is_first=before_at is None,
    )


def path_of(notice: NoticeRow) -> str:
    """The page of a notice."""
    return f"/console/notices/{notice.number or _NOBODY}/{notice.notice_id}"


async def one(visit: Visit) -> Response:
    """GET /console/notices/{number}/{notice_id}."""
    check_may(visit, Action.SEE_CHANNELS)
    number = visit.request.path_params["number"]
    async with visit.context.database.snapshot() as tx:
        found = await attempt.notice(tx, "" if number == _NOBODY else number, visit.id("notice_id"))
        trail = await follow(tx, found.number)
        if trail is not None:
            away = await turned_to_ask(visit, tx, trail.subject, trail.attempt.attempt_no)
            if away is not None:
                return away
    return visit.render("console/notice.html", notice_row=found, raw=raw_of(found), trail=trail)


ROUTES = [
    get("/console/notices", page, Who.STAFF),
    get("/console/notices/{number}/{notice_id}", one, Who.STAFF),
]
