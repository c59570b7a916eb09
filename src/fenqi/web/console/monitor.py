"""The risk monitor: alarms with their owners, approvals week by week, drift, vintages, caps, rules and overrides.

Made each night, and on demand by those who answer for it; an alarm is acknowledged and closed with a reason.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi import insight, staff, texts
from fenqi.flows import monitor
from fenqi.insight import Alarm, AlarmMove, AlarmState, Measure, Report, Threshold
from fenqi.kernel.reason import CODES
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.staff import Action
from fenqi.texts import Audience, Locale
from fenqi.web.console import monitor_chart as chart
from fenqi.web.console.act import check_may, keep, keep_apart
from fenqi.web.console.find import member_of
from fenqi.web.console.story import actor_of
from fenqi.web.page import Visit, Who, get, post

PATH = "/console/monitor"
_SHOWN, _CLOSED, _ROWS = 12, 10, 10
_PERCENT_PPM = 10_000


class Told(NamedTuple):
    """An alarm with its steps, and whether the reader may move it."""

    alarm: Alarm
    subject: str
    moves: list[AlarmMove]
    is_mine: bool
    is_gone: bool
    """Not found again by the latest run."""


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/monitor."""
    check_may(visit, Action.SEE_INSIGHT)
    async with visit.context.database.snapshot() as tx:
        latest = await insight.latest_report(tx)
        standing, closed = await insight.standing_alarms(tx), await insight.closed_alarms(tx, _CLOSED)
        moves = await insight.moves_of(tx, [each.alarm_id for each in (*standing, *closed)])
        limits = await insight.thresholds(tx)
        names = {one.staff_id: one.name for one in await staff.get_all(tx)}
    report, made_at = latest if latest is not None else (None, None)
    roles = {str(role) for role in member_of(visit).roles}
    told = [
        Told(
            each, _subject(each.measure, each.subject, visit.locale), moves.get(each.alarm_id, []),
            each.owner in roles and each.state is not AlarmState.CLOSED, made_at is not None and each.seen_at < made_at,
        )
        for each in (*standing, *closed)
    ]  # fmt: skip
    return visit.render(
        "console/monitor.html",
        200 if no is None else no.status,
        no=visit.error(no), report=report, made_at=made_at, limits=limits, measures=list(Measure),
        standing=[each for each in told if each.alarm.state is not AlarmState.CLOSED],
        closed=[each for each in told if each.alarm.state is AlarmState.CLOSED],
        actor=lambda name: actor_of(name, names), may_run=member_of(visit).may(Action.RUN_MONITOR),
        shown=_SHOWN, most_rows=_ROWS,
        **({} if report is None else _drawn(report, visit.locale)),
    )  # fmt: skip


def _drawn(report: Report, locale: Locale) -> dict[str, object]:
    return {
        "trend": chart.trend(report.weeks),
        "drifts": [(each, chart.pairs(each)) for each in report.drifts],
        "heat": chart.heat(report.vintages),
        "ages": range(1, max((len(each.cells) for each in report.vintages), default=0) + 1),
        "size": (chart.WIDTH, chart.HEIGHT, chart.BARS_WIDTH, chart.BARS_HEIGHT),
        "title": lambda code: texts.title(code, locale, Audience.RISK) if code in CODES else code,
    }


def _subject(measure: Measure, subject: str, locale: Locale) -> str:
    """What an alarm is about, in words."""
    first, _, second = subject.partition("/")
    if measure in (Measure.PSI, Measure.KS):
        return f"{texts.t(f'monitor.feature.{first}', locale)} · {texts.t(f'monitor.against.{second}', locale)}"
    if measure is Measure.APPROVAL_DROP:
        return texts.t(f"monitor.{subject}", locale)
    if measure in (Measure.REASON_RISE, Measure.RULE_RISE):
        name = texts.title(second, locale, Audience.RISK) if second in CODES else second
        return f"{texts.t(f'monitor.stage.{first}', locale)} · {name}"
    if measure is Measure.OVERRIDE:
        return texts.t(f"monitor.kind.{subject}", locale)
    return subject


async def run(visit: Visit) -> Response:
    """POST /console/monitor/run: make a report now."""
    try:
        by = await keep_apart(visit, Action.RUN_MONITOR, "monitor")
        if await monitor.run(visit.context, by) is None:
            raise Conflict("STATE_CONFLICT", "a run is under way")
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(PATH, notice="done")


async def move(visit: Visit) -> Response:
    """POST /console/monitor/alarms/{id}: acknowledge or close it."""
    alarm_id: UUID = visit.id("alarm_id")
    try:
        to_state = _state(visit)
        async with visit.context.database.transaction() as tx:
            by = await keep(visit, tx, Action.RUN_MONITOR, f"alarm:{alarm_id}", to_state=str(to_state))
            await insight.move_alarm(tx, alarm_id, to_state, [str(role) for role in member_of(visit).roles], by)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(PATH, notice="done")


async def set_threshold(visit: Visit) -> Response:
    """POST /console/monitor/thresholds: set one anew; it holds from the next run on."""
    try:
        measure = _measure(visit)
        async with visit.context.database.transaction() as tx:
            by = await keep(visit, tx, Action.RUN_MONITOR, f"threshold:{measure}")
            kept = (await insight.thresholds(tx))[measure]
            warn_ppm, act_ppm, least = _ppm(visit, "warn"), _ppm(visit, "act"), visit.form.count("least", 1_000_000)
            wanted = Threshold(measure, warn_ppm, act_ppm, least, kept.owner, kept.source)
            await insight.set_threshold(tx, wanted, by)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(PATH, notice="done")


def _state(visit: Visit) -> AlarmState:
    wanted = visit.form.required("to_state", 20)
    if wanted not in {str(AlarmState.ACKNOWLEDGED), str(AlarmState.CLOSED)}:
        raise Refusal("INPUT_INVALID", "acknowledged or closed", field="to_state")
    return AlarmState(wanted)


def _measure(visit: Visit) -> Measure:
    wanted = visit.form.required("measure", 40)
    if wanted not in {str(each) for each in Measure}:
        raise Refusal("INPUT_INVALID", "no such measure", field="measure")
    return Measure(wanted)


def _ppm(visit: Visit, name: str) -> int:
    """A share that people write in per cent, with at most two digits after the point."""
    whole, _, part = visit.form.required(name, 10).rstrip("%").strip().partition(".")
    if not whole.isdigit() or not (part == "" or part.isdigit()) or len(part) > 2:
        raise Refusal("INPUT_INVALID", f"{name} is no percentage", field=name)
    return int(whole) * _PERCENT_PPM + int(part.ljust(2, "0")) * _PERCENT_PPM // 100


ROUTES = [
    get(PATH, page, Who.STAFF),
    post(f"{PATH}/run", run, Who.STAFF),
    post(f"{PATH}/thresholds", set_threshold, Who.STAFF),
    post(f"{PATH}/alarms/{{alarm_id}}", move, Who.STAFF),
]
