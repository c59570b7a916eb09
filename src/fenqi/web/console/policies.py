"""Policies: every version with where it stands, and one version with its tables, its faults and its way into force."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from starlette.responses import Response

from fenqi import policy, staff, texts
from fenqi.database.pool import Tx
from fenqi.flows import policy_publish
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy import HistoryRow, Known, PolicyState, PolicyVersion, Share, jdm, sheet_excel
from fenqi.staff import Action
from fenqi.web.console.act import check_may, instant
from fenqi.web.console.find import member_of
from fenqi.web.page import Visit, Who, get, post

_NAMED = 40


class Step(NamedTuple):
    """A step of a version's history, with who did it by name."""

    row: HistoryRow
    who: str


def known_of(ref: Reference) -> Known:
    """The codes that a policy may name."""
    return Known(ref.tree.codes, frozenset(seller.merchant.number for seller in ref.sellers.values()))


async def page(visit: Visit) -> Response:
    """GET /console/policies."""
    check_may(visit, Action.SEE_POLICY)
    now = visit.context.now()
    async with visit.context.database.snapshot() as tx:
        found = await policy.versions(tx)
        current = await policy.in_force(tx, now)
        canary = await policy.canary_at(tx, now)
        names = await _names(visit, tx)
    return visit.render(
        "console/policies.html",
        current=current,
        canary=canary,
        waiting=[x for x in found if x.state is PolicyState.PUBLISHED and x.effective_at and x.effective_at > now],
        submitted=[x for x in found if x.state is PolicyState.SUBMITTED],
        drafts=[x for x in found if x.state in (PolicyState.DRAFT, PolicyState.REJECTED)],
        past=[x for x in found if x.number != current.number and _is_past(x, visit)],
        names=names,
        may_make=member_of(visit).may(Action.MAKE_POLICY),
        may_publish=member_of(visit).may(Action.PUBLISH_POLICY),
        next_number=_next_number(found, visit),
    )


def _is_past(version: PolicyVersion, visit: Visit) -> bool:
    if version.state in (PolicyState.ROLLED_BACK, PolicyState.WITHDRAWN):
        return True
    effective = version.effective_at
    return version.state is PolicyState.PUBLISHED and effective is not None and effective <= visit.context.now()


def _next_number(found: list[PolicyVersion], visit: Visit) -> str:
    """A number that nobody has: the day's, counted on."""
    day, taken = visit.context.now().strftime("%Y-%m-%d"), {version.number for version in found}
    return next(f"{day}.{n}" for n in range(1, 1_000) if f"{day}.{n}" not in taken)


class Names(dict[str, str]):
    """People by the name that histories give them; whoever is no member of staff is the house itself."""

    def __init__(self, members: list[staff.Member], house: str) -> None:
        super().__init__({member.actor: member.name for member in members})
        self.house = house

    def of(self, actor: str | None) -> str:
        """The name of who did something."""
        return self.get(actor or "", self.house)


async def _names(visit: Visit, tx: Tx) -> Names:
    return Names(await staff.get_all(tx), texts.t("policies.house", visit.locale))


async def version(visit: Visit) -> Response:
    """GET /console/policies/{number}."""
    check_may(visit, Action.SEE_POLICY)
    number = visit.request.path_params["number"][:_NAMED]
    now = visit.context.now()
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, now)
        found = await policy.by_number(tx, number)
        current = await policy.in_force(tx, now)
        base = await _base(tx, found, current)
        history = await policy.get_history(tx, found.policy_id)
        names = await _names(visit, tx)
    known = known_of(ref)
    member = member_of(visit)
    return visit.render(
        "console/policy.html",
        version=found,
        current=current,
        base=base,
        is_current=found.number == current.number,
        steps=[Step(row, names.of(row.actor)) for row in reversed(history)],
        maker=names.of(found.maker),
        is_maker=found.maker == member.actor,
        faults=policy.faults(found.document, known.categories, known.merchants),
        warnings=policy.warnings(found.document),
        changes=table_changes(base, found),
        gaps=policy.gaps(found.document),
        may_make=member.may(Action.MAKE_POLICY),
        may_publish=member.may(Action.PUBLISH_POLICY),
        soon=now + timedelta(minutes=5),
    )


async def _base(tx: Tx, found: PolicyVersion, current: PolicyVersion) -> PolicyVersion:
    """What a version is compared with: the one it was made from, else the one in force."""
    try:
        return await policy.by_number(tx, found.based_on) if found.based_on else current
    except Refusal:
        return current


class TableChange(NamedTuple):
    """How many rows of a table were added, taken out and changed."""

    key: str
    rows: int
    added: int
    removed: int
    changed: int


def table_changes(base: PolicyVersion, version: PolicyVersion) -> list[TableChange]:
    """Each table beside the one of the base version, by rule."""
    before = {table.key: table for table in base.document.tables}
    found = []
    for table in version.document.tables:
        old = {row.rule_id: row for row in before[table.key].rows} if table.key in before else {}
        new = {row.rule_id: row for row in table.rows}
        changed = sum(1 for name, row in new.items() if name in old and old[name] != row)
        found.append(TableChange(table.key, len(table.rows), len(new.keys() - old.keys()), len(old.keys() - new.keys()),
                                 changed))  # fmt: skip
    return found


async def draft(visit: Visit) -> Response:
    """POST /console/policies: a new draft, from the version in force or another one."""
    form = visit.form
    number, policy_id = form.required("number", _NAMED), new_id()
    member, why, based_on = member_of(visit), form.text("why"), form.text("based_on", _NAMED)
    await policy_publish.draft(visit.context, member.staff_id, policy_id, number, why, based_on=based_on)
    return visit.redirect(f"/console/policies/{number}", notice="drafted")


async def act(visit: Visit) -> Response:
    """POST /console/policies/{number}/{verb}: a step of a version's life."""
    number, verb = visit.request.path_params["number"][:_NAMED], visit.request.path_params["verb"]
    ctx, staff_id, why = visit.context, member_of(visit).staff_id, visit.form.text("why")
    if verb == "roll-back":
        before = await policy_publish.roll_back(ctx, staff_id, number, why)
        return visit.redirect(f"/console/policies/{before.number}", notice="roll_back")
    async with ctx.database.snapshot() as tx:
        policy_id = (await policy.by_number(tx, number)).policy_id
    if verb in _PLAIN:
        await _PLAIN[verb](ctx, staff_id, policy_id, why)
    else:
        await _judged(visit, verb, policy_id, visit.form.count("revision", 10**6))
    return visit.redirect(f"/console/policies/{number}", notice=verb.replace("-", "_"))


_PLAIN: dict[str, Callable[[Context, UUID, UUID, str], Awaitable[object]]] = {
    "recall": policy_publish.recall,
    "withdraw": policy_publish.withdraw,
    "note": policy_publish.note,
    "end-canary": policy_publish.end_canary,
}


async def _judged(visit: Visit, verb: str, policy_id: UUID, revision: int) -> None:
    """The steps that are taken on the document as somebody has seen it."""
    ctx, staff_id, form, why = visit.context, member_of(visit).staff_id, visit.form, visit.form.text("why")
    match verb:
        case "submit":
            await policy_publish.submit(ctx, staff_id, policy_id, revision, why)
        case "reject":
            await policy_publish.reject(ctx, staff_id, policy_id, revision, why)
        case "publish":
            at = instant(visit, "effective_at") if form.text("when") == "later" else None
            await policy_publish.approve(ctx, staff_id, policy_id, revision, at, why)
        case "canary":
            now = ctx.now()
            share = Share(form.count("percent", 99) * 10_000, now, now + timedelta(days=form.count("days", 90)))
            await policy_publish.begin_canary(ctx, staff_id, policy_id, revision, share, why)
        case "promote":
            await policy_publish.promote(ctx, staff_id, policy_id, revision, None, why)
        case _:
            raise Refusal("FORM_INVALID", f"no step {verb!r}")


_KINDS = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "json": "application/json"}


async def file(visit: Visit) -> Response:
    """GET /console/policies/{number}/files/{kind}: the tables as a workbook, or as JDM graphs."""
    check_may(visit, Action.SEE_POLICY)
    number, kind = visit.request.path_params["number"][:_NAMED], visit.request.path_params["kind"]
    if kind not in _KINDS:
        raise NotFound("NOT_FOUND", "no such file")
    async with visit.context.database.snapshot() as tx:
        tables = (await policy.by_number(tx, number)).document.tables
    body = sheet_excel.write_workbook(tables) if kind == "xlsx" else msgspec.json.encode(jdm.write_graph(tables))
    name = f'attachment; filename="fenqi-policy-{number}.{kind}"'
    return Response(body, media_type=_KINDS[kind], headers={"Content-Disposition": name})


ROUTES = [
    get("/console/policies", page, Who.STAFF),
    get("/console/policies/{number}", version, Who.STAFF),
    get("/console/policies/{number}/files/{kind}", file, Who.STAFF),
    post("/console/policies", draft, Who.STAFF),
    post("/console/policies/{number}/{verb}", act, Who.STAFF),
]
