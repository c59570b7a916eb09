"""A try at a channel as its buyer waits for it: how they are led there, what is known, and when it is asked again.

Shared by payments and by the money account's top-ups and withdrawals. Whoever looks at a try that is open has its
channel asked, at most every three seconds, so that nobody waits for a notice that doesn't come.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import segno
from markupsafe import Markup
from starlette.responses import JSONResponse, Response

from fenqi import attempt
from fenqi.attempt import Attempt, AttemptState
from fenqi.channels import shelf
from fenqi.channels.contract import Handover
from fenqi.flows import charge
from fenqi.web.page import HEADERS, Visit
from fenqi.web.shop.giving_back import Progress

SPACING_S = 3.0
"""The least time between two askings of one try by its buyer's page."""
_PATIENCE_S = 2.0
"""How long a page waits for a channel's answer before it shows what is known."""
_KEPT = 10_000
_POLICY = "Content-Security-Policy"
_HANDOVER = msgspec.json.Decoder(Handover)


class Pace:
    """When this process last asked for a try. The first sight of one counts as an asking: its channel has just been
    called."""

    def __init__(self, spacing_s: float = SPACING_S) -> None:
        self.spacing_s = spacing_s
        self._asked: OrderedDict[UUID, float] = OrderedDict()

    def take(self, attempt_id: UUID) -> bool:
        """Whether it may be asked now; if so, that counts."""
        now = time.monotonic()
        last = self._asked.get(attempt_id)
        may = last is not None and now - last >= self.spacing_s
        if last is None or may:
            self._asked[attempt_id] = now
            self._asked.move_to_end(attempt_id)
        if len(self._asked) > _KEPT:
            self._asked.popitem(last=False)
        return may


PACE = Pace()
_UNDER_WAY: set[asyncio.Task[Attempt]] = set()


class Waiting(NamedTuple):
    """What the page of a try shows."""

    outcome: str
    """pending | unknown | closed | returned | succeeded | refused"""
    tried: Attempt
    handover: Handover | None
    code: Markup | None
    """The QR code, drawn."""
    open_url: str
    """Where the same can be done in this browser; empty: nowhere."""
    sheet: str
    """The parameters of a payment sheet inside an app, as JSON; empty: none."""
    has_lapsed: bool
    """Of a closed one: its time was over."""
    can_close: bool
    poll: str
    """What the page asks for news; empty: none will come."""
    mark: str
    """Changes when there is news."""


async def look(visit: Visit, attempt_id: UUID) -> Attempt:
    """The try as it stands; while it is open its channel is asked first, as often as the pace allows.

    Refuses ATTEMPT_UNKNOWN.
    """
    found = await _read(visit, attempt_id)
    waits = found.state in (AttemptState.PENDING, AttemptState.UNKNOWN)
    if not waits or not PACE.take(attempt_id):
        return found
    asking = asyncio.create_task(charge.ask(visit.context, found, visit.by("looked whether it is paid")))
    _UNDER_WAY.add(asking)
    asking.add_done_callback(_UNDER_WAY.discard)
    done, _ = await asyncio.wait({asking}, timeout=_PATIENCE_S)
    return asking.result() if done else await _read(visit, attempt_id)


async def _read(visit: Visit, attempt_id: UUID) -> Attempt:
    async with visit.context.database.snapshot() as tx:
        return await attempt.get(tx, visit.consumer_id, attempt_id)


def outcome_of(tried: Attempt) -> str:
    """What a try came to, in the words of a payment's outcome."""
    if tried.state is AttemptState.SUCCEEDED:
        return "succeeded" if tried.disposition == "applied" else "returned"
    if tried.state is AttemptState.PENDING:
        return "pending"
    if tried.is_open:
        return "unknown"
    return "refused" if tried.state is AttemptState.DECLINED else "closed"


def told(visit: Visit, outcome: str, tried: Attempt, backs: list[Progress], poll: str) -> Waiting:
    """The try for its page. `poll` is asked for news as long as some can come."""
    pending = outcome == "pending" and tried.handover is not None
    handover = _HANDOVER.decode(tried.handover) if pending and tried.handover is not None else None
    is_code = handover is not None and handover.kind == "qr"
    open_url = handover.url if handover is not None and _is_web(handover.url) else ""
    sheet = ""
    if handover is not None and handover.kind == "app" and not open_url:
        sheet = msgspec.json.encode(handover.fields).decode()
    goes_on = outcome in ("pending", "unknown") or any(not back.is_done for back in backs)
    return Waiting(
        outcome, tried, handover, drawn(handover.url) if handover is not None and is_code else None, open_url, sheet,
        visit.context.now() >= tried.expires_at, shelf.channel(tried.channel).capabilities.closes,
        poll if goes_on else "", mark(outcome, tried, backs),
    )  # fmt: skip


def mark(outcome: str, tried: Attempt, backs: list[Progress]) -> str:
    """A word that changes when the page has something new to show."""
    return ".".join([outcome, tried.attempt_id.hex, tried.state, *(back.state for back in backs)])


def state(outcome: str, tried: Attempt, backs: list[Progress]) -> Response:
    """What a page that polls gets."""
    said: dict[str, Any] = {"outcome": outcome, "mark": mark(outcome, tried, backs)}
    return JSONResponse(said)


def drawn(text: str) -> Markup:
    """A text as a QR code: SVG, dark on white whatever the page's colours."""
    code = segno.make(text, error="m", micro=False)
    return Markup(code.svg_inline(border=2, omitsize=True, svgclass="code", lineclass=None))


def leading(response: Response, handover: Handover | None) -> Response:
    """The page with leave to send its form to the channel that it leads to."""
    if handover is not None and handover.kind == "form" and _is_web(handover.url):
        parts = urlsplit(handover.url)
        own = "form-action 'self'"
        response.headers[_POLICY] = HEADERS[_POLICY].replace(own, f"{own} {parts.scheme}://{parts.netloc}")
    return response


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))
