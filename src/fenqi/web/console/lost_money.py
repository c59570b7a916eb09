"""Lost money by reason: what refusals at the cashier cost, what remedies brought back, and which rules did it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi import insight, order, texts
from fenqi.flows.reference import Reference
from fenqi.insight import CUTS, AtStake, Cut, Line, Outcome
from fenqi.kernel.clock import business_date
from fenqi.kernel.reason import CODES
from fenqi.staff import Action
from fenqi.texts import Audience, Locale
from fenqi.web.console.act import check_may
from fenqi.web.page import Visit, Who, get
from fenqi.web.template import own

SPANS = (7, 30, 90)
_SHOWN, _SAMPLES = 25, 40
WIDTH, HEIGHT, _LABEL = 720, 150, 18
"""Of the chart of weeks; the weeks' names stand below it."""


class Bar(NamedTuple):
    """A week, drawn: lost from the line upwards, recovered on top of it."""

    week_on: date
    line: Line
    x: int
    width: int
    lost_y: int
    lost_height: int
    back_y: int
    back_height: int


class Sample(NamedTuple):
    """One refusal, with the order's number to look it up by."""

    number: str
    row: AtStake


async def page(visit: Visit) -> Response:
    """GET /console/lost-money?days=&by=&of=&all=."""
    check_may(visit, Action.SEE_INSIGHT)
    today_on = business_date(visit.context.now())
    days = next((each for each in SPANS if str(each) == visit.query("days", 3)), SPANS[-1])
    by = visit.query("by", 20) if visit.query("by", 20) in CUTS else CUTS[0]
    everyone = visit.query("all", 1) == "1"
    of = visit.query("of", 80)
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        rows = await insight.at_stake(tx, today_on - timedelta(days=days - 1), today_on)
        counted_at = await insight.mark(tx, "at_stake")
        wanted = [row for row in rows if everyone or row.is_wanted]
        found = insight.cut(wanted, by)
        picked = [row for row in wanted if of and of in insight.names_of(row, by)][-_SAMPLES:]
        orders = await order.get_many(tx, [(row.consumer_id, row.order_id) for row in picked])
    samples = [Sample(orders[row.consumer_id, row.order_id].number, row) for row in reversed(picked)]
    return visit.render(
        "console/lost_money.html",
        days=days, spans=SPANS, by=by, cuts=CUTS, everyone=everyone, of=of, counted_at=counted_at,
        cut=found, lines=found.lines[:_SHOWN], rest=len(found.lines) - _SHOWN,
        most_minor=max((line.lost_minor for line in found.lines), default=0) or 1,
        names={line.name: _name(line.name, by, ref, visit.locale) for line in found.lines},
        bars=_bars(found), width=WIDTH, height=HEIGHT, samples=samples, Outcome=Outcome,
        of_name=_name(of, by, ref, visit.locale) if picked else "",
        reason_title=lambda code: texts.title(code, visit.locale, Audience.RISK),
    )  # fmt: skip


def _name(name: str, by: str, ref: Reference, locale: Locale) -> str:
    """A line's name as people say it."""
    if by == "reason" and name in CODES:
        return texts.title(name, locale, Audience.RISK)
    if by == "category" and name in ref.tree:
        return own(ref.tree.get(name), "name", locale)
    if by == "merchant":
        seller = ref.sellers.get(UUID(name))
        return name if seller is None else own(seller.merchant, "name", locale)
    if by == "scene":
        return texts.word("scene", name, locale)
    if by == "method":
        method, _, way = name.partition("/")
        return texts.t(f"lost.way_{way}", locale, method=method)
    return name


def _bars(found: Cut) -> list[Bar]:
    """The weeks, side by side; the highest fills the chart."""
    highest = max((line.lost_minor + line.recovered_minor for _, line in found.weeks), default=0) or 1
    whole = HEIGHT - _LABEL
    step = WIDTH // max(1, len(found.weeks))
    bars = []
    for place, (week_on, line) in enumerate(found.weeks):
        lost = line.lost_minor * whole // highest
        back = line.recovered_minor * whole // highest
        bars.append(
            Bar(week_on, line, place * step + step // 8, step * 3 // 4, whole - lost, lost, whole - lost - back, back)
        )
    return bars


ROUTES = [get("/console/lost-money", page, Who.STAFF)]
