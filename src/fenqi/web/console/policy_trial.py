"""A policy's version beside another: what differs, in sentences; and in shadow: what it would have decided, counted."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from starlette.responses import Response

from fenqi import policy, texts
from fenqi.flows import policy_read, policy_shadow
from fenqi.flows.policy_read import ToldChange
from fenqi.flows.policy_told import part_words
from fenqi.kernel.ids import id_for
from fenqi.kernel.refusal import Refusal
from fenqi.policy.shadow_model import DayCount, Difference, ShadowResult
from fenqi.staff import Action
from fenqi.texts import Audience, Locale
from fenqi.web.console.act import check_may
from fenqi.web.console.find import member_of
from fenqi.web.page import Visit, Who, get, post

_NAMED = 40
DAYS = (1, 7, 30)
_CHANGES = ("opened", "closed", "otherwise", "same")


class Part(NamedTuple):
    """The changes of one part of a policy."""

    title: str
    changes: list[ToldChange]


class OfMethod(NamedTuple):
    """A method's decisions by what would become of them, and what those orders come to."""

    method: str
    counts: dict[str, int]
    minor: dict[str, int]


class Told(NamedTuple):
    """A reason by its title, and how often it comes or goes."""

    code: str
    title: str
    method: str
    decisions: int


async def beside(visit: Visit) -> Response:
    """GET /console/policies/{number}/beside?other=: what makes a version of another one."""
    check_may(visit, Action.SEE_POLICY)
    number, other = visit.request.path_params["number"][:_NAMED], visit.query("other", _NAMED)
    found = await policy_read.compared(visit.context, number, other, visit.locale)
    async with visit.context.database.snapshot() as tx:
        version = await policy.by_number(tx, number)
        base = other or version.based_on or (await policy.in_force(tx, visit.context.now())).number
        versions = [each.number for each in await policy.versions(tx) if each.number != number]
    parts: dict[str, list[ToldChange]] = defaultdict(list)
    for one in found:
        parts[one.change.part].append(one)
    return visit.render(
        "console/policy_beside.html",
        version=version,
        base=base,
        versions=versions,
        parts=[Part(part_words(name, visit.locale), changes) for name, changes in parts.items()],
    )


async def shadows(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/policies/{number}/shadows: those of a version, and a form for a new one."""
    check_may(visit, Action.SEE_POLICY)
    async with visit.context.database.snapshot() as tx:
        version = await policy.by_number(tx, visit.request.path_params["number"][:_NAMED])
        found = await policy.shadows(tx, version.policy_id)
    return visit.render(
        "console/policy_shadows.html", 200 if no is None else no.status, version=version, found=found, spans=DAYS,
        may_make=member_of(visit).may(Action.MAKE_POLICY), error=visit.error(no),
    )  # fmt: skip


async def begin(visit: Visit) -> Response:
    """POST /console/policies/{number}/shadows: begin one, for the reason on the form."""
    number, form, now = visit.request.path_params["number"][:_NAMED], visit.form, visit.context.now()
    try:
        check_may(visit, Action.MAKE_POLICY)
        async with visit.context.database.snapshot() as tx:
            version = await policy.by_number(tx, number)
        shadow_id = id_for(member_of(visit).staff_id, "shadow", str(form.id("key")))
        begun = await policy_shadow.begin(
            visit.context, member_of(visit).staff_id, shadow_id, version.policy_id, form.count("revision", 10**6),
            now + timedelta(days=form.count("days", 90)), form.text("why"),
            since_at=now - timedelta(days=form.count("back", 31)) if form.text("back") not in ("", "0") else None,
        )  # fmt: skip
    except Refusal as refusal:
        return await shadows(visit, refusal)
    return visit.redirect(f"/console/policies/{number}/shadows/{begun.shadow_id}")


async def end(visit: Visit) -> Response:
    """POST /console/policies/{number}/shadows/{shadow_id}/end."""
    number = visit.request.path_params["number"][:_NAMED]
    shadow_id = visit.id("shadow_id")
    await policy_shadow.end(visit.context, member_of(visit).staff_id, shadow_id, visit.form.text("why"))
    return visit.redirect(f"/console/policies/{number}/shadows/{shadow_id}")


async def shadow(visit: Visit) -> Response:
    """GET /console/policies/{number}/shadows/{shadow_id}: what it has counted."""
    check_may(visit, Action.SEE_HIDDEN_REASONS)
    found = await policy_shadow.result(visit.context, visit.id("shadow_id"))
    async with visit.context.database.snapshot() as tx:
        version = await policy.get(tx, found.shadow.policy_id)
    one = found.shadow
    return visit.render(
        "console/policy_shadow.html",
        version=version,
        shadow=one,
        is_open=one.ended_at is None and one.seen_at < one.until_at,
        methods=by_method(found.days),
        changes=_CHANGES,
        gained=_told(found, visit.locale, gained=True),
        lost=_told(found, visit.locale, gained=False),
        sample=[(each, [_said(x, visit.locale) for x in each.differences]) for each in found.sample],
        may_make=member_of(visit).may(Action.MAKE_POLICY),
    )


def by_method(days: tuple[DayCount, ...]) -> list[OfMethod]:
    """The days added up, a method each."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_CHANGES, 0))
    minor: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_CHANGES, 0))
    for day in days:
        counts[day.method][day.change] += day.decisions
        minor[day.method][day.change] += day.payable_minor
    return [OfMethod(method, counts[method], minor[method]) for method in counts]


def _told(found: ShadowResult, locale: Locale, *, gained: bool) -> list[Told]:
    rows = [
        Told(each.code, texts.title(each.code, locale, Audience.RISK), each.method, count)
        for each in found.codes
        if (count := each.gained if gained else each.lost)
    ]
    return sorted(rows, key=lambda row: (-row.decisions, row.code, row.method))


class Said(NamedTuple):
    """What becomes of one method and plan of a sampled decision, in words."""

    method: str
    plan: str | None
    words: str


def _said(one: Difference, locale: Locale) -> Said:
    return Said(one.method, one.plan, _becomes(one, locale))


def _becomes(one: Difference, locale: Locale) -> str:
    """It appears, goes, can be used, or which reasons come and go."""
    if one.was is None or one.now is None or not one.now:
        key = "gone" if one.now is None else "usable" if not one.now else "appears"
        return texts.t(f"policy_trial.{key}", locale)
    comes, goes = set(one.now) - set(one.was), set(one.was) - set(one.now)
    parts = [("comes", code) for code in sorted(comes)] + [("goes", code) for code in sorted(goes)]
    told = [
        texts.t(f"policy_trial.{key}", locale, reason=texts.title(code, locale, Audience.RISK)) for key, code in parts
    ]
    return ("；" if locale is Locale.ZH_CN else "; ").join(told)


ROUTES = [
    get("/console/policies/{number}/beside", beside, Who.STAFF),
    get("/console/policies/{number}/shadows", shadows, Who.STAFF),
    get("/console/policies/{number}/shadows/{shadow_id}", shadow, Who.STAFF),
    post("/console/policies/{number}/shadows", begin, Who.STAFF),
    post("/console/policies/{number}/shadows/{shadow_id}/end", end, Who.STAFF),
]
