"""Policies: every version with where it stands, and one version with its tables, its faults and its way into force."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from starlette.responses import Response

from fenqi import policy, staff, texts
from fenqi.database.pool import Tx
from fenqi.flows.reference import Reference
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.policy import HistoryRow, Known, PolicyState, PolicyVersion, Share
from fenqi.staff import Action
from fenqi.web.console.act import check_may, instant, keep
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
    form, now = visit.form, visit.context.now()
    number = form.required("number", _NAMED)
    async with visit.context.database.transaction() as tx:
        by = await keep(visit, tx, Action.MAKE_POLICY, f"policy:{number}", verb="draft")
        from_number = form.text("based_on", _NAMED)
        base = await policy.by_number(tx, from_number) if from_number else await policy.in_force(tx, now)
        await policy.draft(tx, new_id(), number, base.document, by, based_on=base.number)
    return visit.redirect(f"/console/policies/{number}", notice="drafted")


async def act(visit: Visit) -> Response:
    """POST /console/policies/{number}/{verb}: a step of a version's life."""
    number, verb = visit.request.path_params["number"][:_NAMED], visit.request.path_params["verb"]
    action = Action.MAKE_POLICY if verb in ("submit", "recall", "withdraw", "note") else Action.PUBLISH_POLICY
    async with visit.context.database.transaction() as tx:
        by = await keep(visit, tx, action, f"policy:{number}", verb=verb)
        ref = await visit.context.reference.current(tx, visit.context.now())
        found, known, form = await policy.by_number(tx, number), known_of(ref), visit.form
        match verb:
            case "submit":
                await policy.submit(tx, found.policy_id, form.count("revision", 10**6), known, by)
            case "recall":
                await policy.recall(tx, found.policy_id, by)
            case "withdraw":
                await policy.withdraw(tx, found.policy_id, by)
            case "note":
                await policy.note(tx, found.policy_id, by)
            case "reject":
                await policy.reject(tx, found.policy_id, form.count("revision", 10**6), by)
            case "publish":
                at = by.at if form.text("when") != "later" else instant(visit, "effective_at")
                await policy.publish(tx, found.policy_id, form.count("revision", 10**6), at, known, by)
            case "canary":
                share = Share(form.count("percent", 99) * 10_000, by.at, by.at + timedelta(days=form.count("days", 90)))
                await policy.begin_canary(tx, found.policy_id, form.count("revision", 10**6), share, known, by)
            case "promote":
                await policy.promote(tx, found.policy_id, form.count("revision", 10**6), by.at, known, by)
            case "end-canary":
                await policy.end_canary(tx, found.policy_id, by)
            case "roll-back":
                before = await policy.roll_back(tx, number, by)
                number = before.number
            case _:
                raise Refusal("FORM_INVALID", f"no step {verb!r}")
    return visit.redirect(f"/console/policies/{number}", notice=verb.replace("-", "_"))


ROUTES = [
    get("/console/policies", page, Who.STAFF),
    get("/console/policies/{number}", version, Who.STAFF),
    post("/console/policies", draft, Who.STAFF),
    post("/console/policies/{number}/{verb}", act, Who.STAFF),
]
