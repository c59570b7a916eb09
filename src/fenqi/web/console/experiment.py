"""The cashier's experiment: what those paid in the end who saw why, against those who saw a bare "unavailable"."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

from fenqi import insight
from fenqi.insight import AtStake, Difference, Experiment, Outcome, Share
from fenqi.kernel.clock import business_date
from fenqi.staff import Action
from fenqi.web.console.act import check_may
from fenqi.web.page import Visit, Who, get

WIDTH = 640


class Measure(NamedTuple):
    """One question put to both arms; the interval drawn on a line of `WIDTH` from −100 to 100 points."""

    name: str
    explained: Share
    bare: Share
    difference: Difference | None
    low_x: int
    rate_x: int
    high_x: int


class Result(NamedTuple):
    """An experiment with its measures."""

    experiment: Experiment
    is_over: bool
    measures: tuple[Measure, ...]


_PAID = {
    "by_method": frozenset({Outcome.RECOVERED}),
    "at_all": frozenset({Outcome.RECOVERED, Outcome.DIVERTED}),
}


async def page(visit: Visit) -> Response:
    """GET /console/experiment."""
    check_may(visit, Action.SEE_INSIGHT)
    now = visit.context.now()
    async with visit.context.database.snapshot() as tx:
        results = []
        for each in await insight.experiments(tx):
            rows = await insight.at_stake(tx, business_date(each.from_at), business_date(each.until_at))
            results.append(Result(each, each.until_at <= now, tuple(_measure(name, rows) for name in _PAID)))
    return visit.render("console/experiment.html", results=results, width=WIDTH)


def _measure(name: str, rows: list[AtStake]) -> Measure:
    """Of the checkouts in which a method of our own was wanted and refused, and which are over: who paid."""
    judged = [
        row
        for row in rows
        if row.is_wanted and row.outcome is not Outcome.OPEN and row.method in ("credit", "money_account")
    ]
    explained, bare = (
        insight.share_of(
            (row.consumer_id, row.amount_minor, row.outcome in _PAID[name]) for row in judged if row.arm == arm
        )
        for arm in ("explained", "bare")
    )
    found = insight.compare(explained, bare)
    x = [_x(value) for value in ((found.low, found.rate, found.high) if found else (0.0, 0.0, 0.0))]
    return Measure(name, explained, bare, found, *x)


def _x(rate: float) -> int:
    return round((min(1.0, max(-1.0, rate)) + 1) / 2 * WIDTH)


ROUTES = [get("/console/experiment", page, Who.STAFF)]
