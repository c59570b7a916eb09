"""The monitor's page: empty at first, made on demand with a reason, alarms moved by their owner, thresholds set."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.web.test_console import enter

from fenqi import insight
from fenqi.flows import monitor
from fenqi.insight import Drift, Measure, Period, Threshold
from fenqi.insight.vintage import Cell, Vintage
from fenqi.web.console import monitor_chart as chart

LOCALES = ["zh-CN", "en"]
PAGE = "/console/monitor"


@pytest.fixture(scope="module")
def reported(ctx: Any, ref: Any, run: Any) -> None:
    """There is a report."""
    run(monitor.run(ctx, ctx.by_system("test", "for the page")))


def test_a_report_is_made_on_demand_with_a_reason(browser: Any, ctx: Any, ref: Any, run: Any) -> None:
    visitor = enter(browser, "risk")
    before = visitor.get(PAGE)
    refused = visitor.send(before, f"{PAGE}/run", why=" ")
    after = visitor.send(visitor.get(PAGE), f"{PAGE}/run", why="the Monday meeting")
    assert (before.status, before.page.faults) == (200, [])
    assert "No report yet" in before.page.words
    assert (refused.status, refused.page.faults) == (422, [])
    assert (after.path, after.status, after.page.faults) == (PAGE, 200, [])
    assert "Vintages" in after.page.words

    async def made() -> Any:
        async with ctx.database.snapshot() as tx:
            return await insight.latest_report(tx)

    assert run(made()) is not None


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_is_sound_in_both_languages(browser: Any, reported: Any, locale: str) -> None:
    page = enter(browser, "operator", locale).get(PAGE)
    assert (page.status, page.page.faults) == (200, [])


def test_who_has_no_part_in_it_does_not_see_it(browser: Any, reported: Any) -> None:
    assert enter(browser, "accountant").get(PAGE).status == 403
    assert browser().get(PAGE).path == "/console/sign-in"


def test_thresholds_are_set_in_per_cent_and_alarms_moved_by_their_owner(
    browser: Any, reported: Any, ctx: Any, run: Any
) -> None:
    visitor = enter(browser, "risk")
    wrong = {"measure": "psi", "warn": "ten", "act": "25", "least": "1", "why": "a try"}
    assert visitor.send(visitor.get(PAGE), f"{PAGE}/thresholds", **wrong).status == 422
    right = {"measure": "psi", "warn": "0.01", "act": "25.5", "least": "1", "why": "tighter"}
    assert visitor.send(visitor.get(PAGE), f"{PAGE}/thresholds", **right).path == PAGE

    async def limits() -> Any:
        async with ctx.database.snapshot() as tx:
            return await insight.thresholds(tx)

    assert run(limits())[Measure.PSI] == Threshold(
        Measure.PSI, 100, 255_000, 1, "risk", "0.10 and 0.25: Lewis 1994, Siddiqi 2006; a convention"
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_an_alarm_is_read_and_acknowledged_by_its_owner(
    browser: Any, reported: Any, ctx: Any, run: Any, locale: str
) -> None:
    subject = f"used_ppm/{'training' if locale == 'en' else 'earlier'}"
    found = insight.Finding(insight.Reading(Measure.PSI, subject, 1_114_200, 171), "act", 250_000, "risk")

    async def alarm() -> Any:
        async with ctx.database.transaction() as tx:
            await insight.raise_alarms(tx, [found], ctx.by_system("monitor", "nightly"))
            return next(each for each in await insight.standing_alarms(tx) if each.subject == subject)

    standing = run(alarm())
    other = enter(browser, "operator", locale).get(PAGE)
    assert "1.114" in other.page.words
    action = f"{PAGE}/alarms/{standing.alarm_id}"
    assert action not in {form.action for form in other.page.forms}
    visitor = enter(browser, "risk", locale)
    done = visitor.send(visitor.get(PAGE), action, to_state="acknowledged", why="known")
    assert (done.path, done.page.faults) == (PAGE, [])
    assert run(alarm()).state is insight.AlarmState.ACKNOWLEDGED


WEEK = date(2026, 6, 7)


def test_weeks_are_drawn_with_gaps_where_nothing_was_asked() -> None:
    weeks = [Period(WEEK, WEEK, {"approved": count}, 0, 0) for count in (1, 0, 2)]
    drawn = chart.trend(weeks)
    approved, lent = drawn.lines
    assert [point.value_ppm for point in approved.points] == [1_000_000, 1_000_000]
    assert approved.path == "M40 10M704 10"
    assert (lent.points, lent.path) == ((), "")


def test_bars_share_one_scale() -> None:
    """50 and 50 before, 20 and 80 now: the highest, 80 %, fills the 34 pixels."""
    drift = Drift("x", "earlier", (0,), (), (50, 50), (20, 80), None, None)
    assert [(pair.reference, pair.current) for pair in chart.pairs(drift)] == [(21, 8), (21, 34)]


def test_a_darker_cell_is_a_worse_one() -> None:
    assert [chart.shade(ppm) for ppm in (0, 1, 5_000, 15_000, 30_000, 60_000, 900_000)] == [0, 1, 2, 3, 4, 5, 5]
    vintages = [Vintage(WEEK.replace(month=month), 10, 1, 10, 1, (Cell(1, 10, 1, 1, 1),)) for month in (1, 2)]
    newest, oldest = chart.heat(vintages)
    assert (newest.vintage.month_on.month, oldest.first_ppm, oldest.first_shade) == (2, 100_000, 5)
