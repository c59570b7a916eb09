"""Back-tests: order one of a version or of a loosened rule, see how far it is, read what came out and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from starlette.responses import JSONResponse, Response

from fenqi import policy, staff, texts
from fenqi.flows import backtests
from fenqi.flows.backtest import PURCHASES, Report
from fenqi.flows.backtest_figures import Change
from fenqi.flows.backtest_words import change, sentence
from fenqi.flows.reference import Reference
from fenqi.kernel.ids import id_for
from fenqi.kernel.reason import CODES
from fenqi.kernel.refusal import Refusal
from fenqi.policy import PolicyState, trial
from fenqi.staff import Action
from fenqi.texts import Audience, Locale
from fenqi.web.console.act import check_may, keep
from fenqi.web.console.find import member_of
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.template import own

SPANS = (7, 30, 90)
_WIDE, _HIGH = 720, 120
_BAR = 260


class Bars(NamedTuple):
    """A name with a value before and after, as lengths."""

    name: str
    change: Change
    before_width: int
    after_width: int
    judged: int = 0


class Day(NamedTuple):
    """A day of the trend: what opened stands above the line, what closed hangs below it."""

    day_on: date
    orders: int
    opened: int
    closed: int
    x: int
    width: int
    up: int
    down: int


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/backtests?policy=&loosen=&days=: a new one, and those that were run."""
    check_may(visit, Action.SEE_POLICY)
    async with visit.context.database.snapshot() as tx:
        found = await trial.trials(tx)
        versions = await policy.versions(tx)
        names = {each.actor: each.name for each in await staff.get_all(tx)}
        current = await policy.in_force(tx, visit.context.now())
    gone = (PolicyState.WITHDRAWN, PolicyState.ROLLED_BACK)
    return visit.render(
        "console/backtests.html",
        200 if no is None else no.status,
        found=found,
        names=names,
        versions=[each for each in versions if each.state not in gone and each.number != current.number],
        rules=[row.rule_id for table in current.document.tables if table.key in PURCHASES for row in table.rows],
        chosen=visit.form.text("policy") or visit.query("policy", 60),
        loosen=visit.form.text("rule") or visit.query("loosen", 60),
        days=visit.form.text("days") or visit.query("days", 3) or str(SPANS[1]),
        spans=SPANS,
        may_run=member_of(visit).may(Action.MAKE_POLICY),
        error=visit.error(no),
    )


async def order(visit: Visit) -> Response:
    """POST /console/backtests: order one, for the reason on the form."""
    try:
        check_may(visit, Action.MAKE_POLICY)
        days, rule_id = visit.form.text("days"), visit.form.text("rule").strip()
        number = "" if rule_id else visit.form.text("policy").strip()
        backtest_id = id_for(member_of(visit).staff_id, "backtest", str(visit.form.id("key")))
        async with visit.context.database.transaction() as tx:
            by = await keep(visit, tx, Action.MAKE_POLICY, f"policy:{number or rule_id}", verb="backtest", days=days)
        await backtests.ask(
            visit.context, backtest_id, by, days=int(days) if days.isdecimal() else 0, policy_number=number,
            rule_id=rule_id,
        )  # fmt: skip
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(f"/console/backtests/{backtest_id}")


async def one(visit: Visit) -> Response:
    """GET /console/backtests/{backtest_id}: how far it is, or what came out."""
    check_may(visit, Action.SEE_POLICY)
    async with visit.context.database.snapshot() as tx:
        found = await trial.get_trial(tx, visit.id("backtest_id"))
        ref = await visit.context.reference.current(tx, visit.context.now())
        names = {each.actor: each.name for each in await staff.get_all(tx)}
    report = backtests.report_of(found)
    shown = {} if report is None else _shown(report, ref, visit.locale)
    error = visit.error(Refusal(found.refusal, "")) if found.refusal else None
    return visit.render("console/backtest.html", found=found, report=report, names=names, error=error, **shown)


async def progress(visit: Visit) -> Response:
    """GET /console/backtests/{backtest_id}/progress: for the page that shows it moving."""
    check_may(visit, Action.SEE_POLICY)
    async with visit.context.database.snapshot() as tx:
        found = await trial.get_trial(tx, visit.id("backtest_id"))
    words = texts.t(
        "backtest.far", visit.locale, percent=found.percent, rows_count=found.row_count,
        speed_count=found.rows_a_second,
    )  # fmt: skip
    return JSONResponse({"percent": found.percent, "words": words, "is_open": found.is_open})


def _shown(report: Report, ref: Reference, locale: Locale) -> dict[str, Any]:
    """What the page says of a report."""
    figures = report.figures

    def difference(amounts: Change) -> str:
        return change(amounts, locale)

    return {
        "sentence": sentence(report, locale),
        "methods": _methods(report),
        "days": _days(figures.days),
        "width": _WIDE,
        "height": _HIGH,
        "difference": difference,
        "exposure": {
            by: _bars(figures.exposure.get(by, {}), _namer(by, ref, locale))
            for by in ("segment", "category", "scene", "merchant")
        },
        "new_reasons": _reasons(figures.new_reasons, locale),
        "gone_reasons": _reasons(figures.gone_reasons, locale),
        "remedies": [(_steps(kinds, locale), count) for kinds, count in _by_size(figures.remedies)],
    }


def _methods(report: Report) -> list[Bars]:
    most = max(report.figures.judged.values(), default=0) or 1
    return [
        Bars(method, both, both.before * _BAR // most, both.after * _BAR // most, report.figures.judged[method])
        for method, both in sorted(report.figures.methods.items(), key=lambda item: -report.figures.judged[item[0]])
    ]


def _bars(values: dict[str, Change], name: Callable[[str], str]) -> list[Bars]:
    """The largest first; all others last."""
    most = max((max(both.before, both.after) for both in values.values()), default=0) or 1
    ordered = sorted(values.items(), key=lambda item: (item[0] == "", -max(item[1].before, item[1].after), item[0]))
    return [Bars(name(key), both, both.before * 120 // most, both.after * 120 // most) for key, both in ordered]


def _namer(by: str, ref: Reference, locale: Locale) -> Callable[[str], str]:
    """How a value of a dimension is called."""

    def name(key: str) -> str:
        if by == "merchant":
            seller = ref.sellers.get(UUID(key)) if key else None
            return texts.t("backtest.others", locale) if seller is None else own(seller.merchant, "name", locale)
        if by == "category":
            return own(ref.tree.get(key), "name", locale) if key in ref.tree else key
        if by == "scene":
            return texts.word("scene", key, locale)
        return texts.t(f"backtest.segment.{key}", locale) if texts.has(f"backtest.segment.{key}", locale) else key

    return name


def _days(found: dict[str, list[int]]) -> list[Day]:
    most = max((max(opened, closed) for _, opened, closed in found.values()), default=0) or 1
    step, half = max(4, _WIDE // max(1, len(found))), _HIGH // 2 - 10
    return [
        Day(
            date.fromisoformat(on), orders, opened, closed, place * step, max(2, step - 2), _tall(opened, half, most),
            _tall(closed, half, most),
        )
        for place, (on, (orders, opened, closed)) in enumerate(sorted(found.items()))
    ]  # fmt: skip


def _tall(count: int, half: int, most: int) -> int:
    """At least two pixels, so that a single order is seen beside a thousand."""
    return max(2, count * half // most) if count else 0


def _by_size(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-abs(item[1]), item[0]))


def _reasons(counts: dict[str, int], locale: Locale) -> Iterable[tuple[str, str, int]]:
    return [
        (code, texts.title(code, locale, Audience.RISK), count) for code, count in _by_size(counts) if code in CODES
    ]


def _steps(kinds: str, locale: Locale) -> str:
    """The steps of a remedy, in words."""
    names = (texts.t(f"backtest.step.{kind}", locale) if texts.has(f"backtest.step.{kind}", locale) else kind
             for kind in kinds.split("+"))  # fmt: skip
    return " + ".join(names)


ROUTES = [
    get("/console/backtests", page, Who.STAFF),
    post("/console/backtests", order, Who.STAFF),
    get("/console/backtests/{backtest_id}", one, Who.STAFF),
    get("/console/backtests/{backtest_id}/progress", progress, Who.STAFF),
]
