"""Cases: the queue with its deadlines, and one case with everything that a person needs to decide it.

Looking at a case keeps who looked: working on it is the reason. What is decided here says why, like everything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi import aftersales, staff, texts
from fenqi.aftersales import Case, CaseState, Kind, Stage, Verdict, norm
from fenqi.credit import ApplicationInputs
from fenqi.database.pool import Tx
from fenqi.flows import case_desk, case_effect, case_replay, case_seen
from fenqi.flows.case_desk import Shown
from fenqi.kernel.ids import parse_id
from fenqi.kernel.reason import CODES, Disclosure
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.kernel.working_hours import HOUR, working_minutes_between
from fenqi.staff import Action, Member
from fenqi.texts import Audience, Locale
from fenqi.web.console.act import check_may
from fenqi.web.console.find import member_of
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.saying import said_value
from fenqi.web.upload import file_response

_SHOWN = 200
_SEEN_HOLDS = timedelta(hours=8)
_SOON_MINUTES = 2 * HOUR
_NEVER_TOLD = (Disclosure.GENERIC, Disclosure.STAFF)


class Sla(NamedTuple):
    """Where a case stands with its deadline: a word, with a shape and a colour that say the same."""

    state: str
    """good | soon | late | paused | ended | ended_late"""
    minutes: int
    """Of work that are left."""


class Row(NamedTuple):
    """One case in the queue."""

    case: Case
    sla: Sla
    owner: str


async def queue(visit: Visit) -> Response:
    """GET /console/cases?kind=&whose=: open cases, the most urgent first; `whose` is mine, all or ended."""
    check_may(visit, Action.SEE_CASES)
    member, now = member_of(visit), visit.context.now()
    wanted, whose = visit.query("kind", 30), visit.query("whose", 10)
    kinds = [kind for kind in Kind if kind == wanted] or list(Kind)
    async with visit.context.database.snapshot() as tx:
        if whose == "ended":
            found = await aftersales.ended(tx, kinds, _SHOWN)
        else:
            found = await aftersales.queue(tx, kinds, owner_id=member.staff_id if whose == "mine" else None)
        counts = await aftersales.counts(tx, now)
        names = await _names(tx)
    return visit.render(
        "console/cases.html",
        rows=[Row(one, sla_of(one, now), names.get(one.owner_id, "")) for one in found],
        counts={kind: counts.get(kind, (0, 0)) for kind in Kind},
        kind=wanted if len(kinds) == 1 else "",
        whose=whose if whose in ("mine", "ended") else "",
        kinds=list(Kind),
        me=member.staff_id,
    )


async def _names(tx: Tx) -> dict[UUID | None, str]:
    return {one.staff_id: one.name for one in await staff.get_all(tx)}


def sla_of(case: Case, now: datetime) -> Sla:
    """How it stands with its deadline: less than two working hours are soon."""
    if not case.is_open:
        return Sla("ended_late" if case.breached_at is not None else "ended", 0)
    if case.left_minutes is not None:
        return Sla("paused", case.left_minutes)
    left = working_minutes_between(now, case.due_at)
    if case.due_at < now:
        return Sla("late", 0)
    return Sla("soon" if left < _SOON_MINUTES else "good", left)


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/cases/{number}."""
    check_may(visit, Action.SEE_CASES)
    member, context = member_of(visit), visit.context
    async with context.database.transaction() as tx:
        case = await aftersales.find(tx, visit.request.path_params["number"])
        await _keep_look(visit, tx, member, case)
        shown = await case_desk.show(context, tx, case)
        ref = await context.reference.current(tx, context.now())
        names = await _names(tx)
        checked = await case_replay.again(context, tx, case) if shown.whole.decisions else None
    return visit.render(
        "console/case.html",
        200 if no is None else no.status,
        case=case,
        shown=shown,
        seen=case_seen.open_to(shown.seen, member.may(Action.SEE_HIDDEN_REASONS)),
        sla=sla_of(case, context.now()),
        names=names,
        tree=ref.tree,
        name_of=lambda actor: _name(names, actor),
        codes=_codes(case, member),
        audience=_audience(member),
        checked=checked,
        acts=_acts(case, member),
        proposal=_proposal(shown),
        choices=_choices(case),
        outcomes=[_outcome(case, one) for one in norm.norm_of(case.kind).outcomes],
        needs=sorted({need for one in norm.norm_of(case.kind).outcomes for need in _needed(case, one)}),
        measures=_measures(shown, visit.locale),
        owner=names.get(case.owner_id, ""),
        error=visit.error(no),
        typed=visit.form.text,
    )


async def _keep_look(visit: Visit, tx: Tx, member: Member, case: Case) -> None:
    """Keep that the member looks at the case, and with it at the order or person that it is about."""
    now = visit.context.now()
    subjects = [f"case:{case.case_id}"]
    if case.about.order_id is not None:
        subjects.append(f"order:{case.about.order_id}")
    if case.consumer_id is not None:
        subjects.append(f"consumer:{case.consumer_id}")
    for one in await staff.audits(tx, subjects[0]):
        if one.staff_id == member.staff_id and one.action == Action.SEE_CASES and now - one.at <= _SEEN_HOLDS:
            return
    for subject in subjects:
        await staff.audit(tx, member, Action.SEE_CASES, subject, f"case {case.number}", now)


def _audience(member: Member) -> Audience:
    return Audience.RISK if member.may(Action.SEE_HIDDEN_REASONS) else Audience.SUPPORT


def _codes(case: Case, member: Member) -> list[tuple[str, bool]]:
    """The reasons of the refusal, and whether the buyer never hears of each by its name."""
    return [(code, CODES[code].disclosure in _NEVER_TOLD) for code in case.about.codes]


def _name(names: dict[UUID | None, str], actor: str) -> tuple[str, str]:
    """(staff | consumer | system, the name of who did something)."""
    kind, _, who = actor.partition(":")
    return (kind, names.get(parse_id(who), who)) if kind == "staff" else (kind, who)


def _acts(case: Case, member: Member) -> set[str]:
    """What this member can do to this case now."""
    if not case.is_open or not case_desk.may_work_on(member, case.kind):
        return set()
    mine = case.owner_id == member.staff_id
    acts = {"note", "lapse"}
    if case.consumer_id is not None:
        acts.add("tell")
    if case.state is CaseState.OPEN or (case.state is CaseState.IN_HAND and not mine):
        acts.add("claim")
    if case.state is CaseState.IN_HAND and mine:
        acts |= {"decide", "release"} | ({"ask"} if case.consumer_id is not None else set())
    if case.state is CaseState.PROPOSED and case.proposed_by != member.actor:
        acts |= {"agree", "give_back"}
    return acts


def _proposal(shown: Shown) -> Any:
    decisions = shown.whole.decisions
    return decisions[-1] if shown.whole.case.state is CaseState.PROPOSED and decisions else None


class Outcome(NamedTuple):
    """An outcome to choose, and what it takes."""

    name: str
    needs_second: bool
    needs: tuple[str, ...]


def _outcome(case: Case, name: str) -> Outcome:
    return Outcome(name, norm.needs_second(case.kind, name, case.amount_minor), _needed(case, name))


def _needed(case: Case, outcome: str) -> tuple[str, ...]:
    return case_effect.needed(case.kind, case.topic, outcome)


def _choices(case: Case) -> list[str]:
    """The codes that a decision of this kind can name: those of the refusal first."""
    if not norm.norm_of(case.kind).needs_reasons:
        return []
    group = "E" if case.kind is Kind.PAYMENT_REVIEW or case.topic == "risk_refusal" else "G"
    return list(dict.fromkeys([*case.about.codes, *(code for code, meta in CODES.items() if meta.group == group)]))


def _measures(shown: Shown, locale: Locale) -> list[tuple[str, str]]:
    """What the application said, name by name, in words."""
    application = shown.seen.application
    if application is None:
        return []
    found: list[tuple[str, str]] = []
    for name in ApplicationInputs.__struct_fields__:
        value = getattr(application.inputs, name)
        if hasattr(value, "__struct_fields__"):
            parts = value.__struct_fields__
            found += [(f"{name}.{part}", _measure(part, getattr(value, part), locale)) for part in parts]
        else:
            found.append((name, _measure(name, value, locale)))
    return found


def _measure(name: str, value: Any, locale: Locale) -> str:
    if value is None or value == ():
        return "–"
    if isinstance(value, bool):
        return texts.t("cases.yes" if value else "cases.no", locale)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return said_value(name, value, locale) if name.endswith(("_minor", "_ppm")) else str(value)


Act = Callable[[Visit, Member, str], Awaitable[str]]


def _acting(act: Act) -> Callable[[Visit], Awaitable[Response]]:
    """A form's handler: what was done is said on the case's page, what can't be done as well."""

    async def handler(visit: Visit) -> Response:
        number = visit.request.path_params["number"]
        try:
            did = await act(visit, member_of(visit), number)
        except Refusal as no:
            if isinstance(no, NotFound):
                raise
            return await page(visit, no)
        return visit.redirect(f"/console/cases/{number}", notice=did)

    return handler


async def _claim(visit: Visit, member: Member, number: str) -> str:
    await case_desk.claim(visit.context, member, number, visit.form.text("why"))
    return "claim"


async def _release(visit: Visit, member: Member, number: str) -> str:
    await case_desk.release(visit.context, member, number, visit.form.text("why"))
    return "release"


async def _lapse(visit: Visit, member: Member, number: str) -> str:
    await case_desk.lapse(visit.context, member, number, visit.form.text("why"))
    return "lapse"


async def _tell(visit: Visit, member: Member, number: str) -> str:
    await case_desk.tell(visit.context, member, number, visit.form.text("text", 2_000), False, visit.form.id("key"))
    return "tell"


async def _note(visit: Visit, member: Member, number: str) -> str:
    form, context = visit.form, visit.context
    files = [one for one in visit.files if one.content or one.name]
    if form.text("text", 2_000) or not files:
        await case_desk.tell(context, member, number, form.text("text", 2_000), True, form.id("key"))
    for one in files[:1]:
        await case_desk.hand_in(context, member, number, one.name, one.content, form.id("key"))
    return "note"


async def _ask(visit: Visit, member: Member, number: str) -> str:
    form = visit.form
    await case_desk.ask(
        visit.context, member, number, form.text("text", 2_000), form.text("why"), form.required("mark", 64)
    )
    return "ask"


async def _decide(visit: Visit, member: Member, number: str) -> str:
    form = visit.form
    _, decision = await case_desk.decide(
        visit.context, member, number, await _verdict(visit, number), form.text("why"), form.required("mark", 64)
    )
    return "proposed" if decision.stage is Stage.PROPOSED else "decided"


async def _verdict(visit: Visit, number: str) -> Verdict:
    """What the form decides: of the inputs, those that its outcome takes."""
    form = visit.form
    async with visit.context.database.snapshot() as tx:
        case = await aftersales.find(tx, number)
    outcome = form.required("outcome", 30)
    inputs: dict[str, Any] = {}
    for need in _needed(case, outcome):
        inputs[need] = form.amount_minor("limit") if need == "limit_minor" else form.count(need)
    return Verdict(
        outcome=outcome, reasons=tuple(form.many("reason")), inputs=inputs, told=form.text("told", 2_000)
    )  # fmt: skip


async def _agree(visit: Visit, member: Member, number: str) -> str:
    await case_desk.agree(visit.context, member, number, visit.form.text("why"), visit.form.required("mark", 64))
    return "decided"


async def _give_back(visit: Visit, member: Member, number: str) -> str:
    await case_desk.give_back(visit.context, member, number, visit.form.text("why"), visit.form.required("mark", 64))
    return "give_back"


async def file(visit: Visit) -> Response:
    """GET /console/cases/{number}/files/{file_id}."""
    check_may(visit, Action.SEE_CASES)
    async with visit.context.database.snapshot() as tx:
        case = await aftersales.find(tx, visit.request.path_params["number"])
        found, content = await aftersales.file_of(tx, case, visit.id("file_id"))
    return file_response(found.name, found.media_type, content)


_PAGE = "/console/cases/{number}"
ROUTES = [
    get("/console/cases", queue, Who.STAFF),
    get(_PAGE, page, Who.STAFF),
    get(_PAGE + "/files/{file_id}", file, Who.STAFF),
    post(_PAGE + "/claim", _acting(_claim), Who.STAFF),
    post(_PAGE + "/release", _acting(_release), Who.STAFF),
    post(_PAGE + "/lapse", _acting(_lapse), Who.STAFF),
    post(_PAGE + "/tell", _acting(_tell), Who.STAFF),
    post(_PAGE + "/note", _acting(_note), Who.STAFF, takes_files=True),
    post(_PAGE + "/ask", _acting(_ask), Who.STAFF),
    post(_PAGE + "/decide", _acting(_decide), Who.STAFF),
    post(_PAGE + "/agree", _acting(_agree), Who.STAFF),
    post(_PAGE + "/give-back", _acting(_give_back), Who.STAFF),
]
