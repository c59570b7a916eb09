"""My credit: where the line stands and what that means, its limits, its loans, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi import credit, order, texts
from fenqi.credit import CreditView, Position
from fenqi.credit.facts import LimitView
from fenqi.database.pool import Tx
from fenqi.flows.reference import Reference
from fenqi.kernel.clock import business_date
from fenqi.order import Order
from fenqi.texts import Audience, Locale
from fenqi.web.page import Visit, Who, get
from fenqi.web.saying import ToldReason
from fenqi.web.template import own

WAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "not_opened": (("/credit/apply", "way_apply"), ("/", "way_shop")),
    "rejected": (("/credit/apply", "way_apply"),),
    "not_activated": (("/credit/activate", "way_activate"),),
    "self_locked": (("/prove/unlock-self?next=/credit", "way_unlock"),),
    "dormant_locked": (("/prove/unlock-dormant?next=/credit", "way_unlock"),),
    "pin_locked": (("/prove/unlock-pin?next=/credit", "way_unlock"),),
    "closed_by_lender": (("/credit/apply", "way_apply"),),
}
"""By state, where it goes on; opening again is a form."""


class ShownLimit(NamedTuple):
    """A limit as a bar with its words."""

    name: str
    granted_minor: int
    used_minor: int
    held_minor: int
    frozen_minor: int
    free_minor: int
    says: str


class ShownLoan(NamedTuple):
    """A loan as a row with its ring."""

    loan_id: UUID
    title: str
    plan: str
    disbursed_on: date
    paid_count: int
    all_count: int
    overdue_minor: int
    next_due_on: date | None
    next_due_minor: int
    state: str


async def page(visit: Visit) -> Response:
    """GET /credit."""
    context, consumer_id, now = visit.context, visit.consumer_id, visit.context.now()
    async with context.database.snapshot() as tx:
        ref = await context.reference.current(tx, now)
        view = await credit.credit_facts_of(tx, consumer_id, now, ref.product)
        line = await credit.line.read(tx, consumer_id)
        history = await credit.line.history(tx, consumer_id)
        found = await credit.positions(tx, consumer_id, business_date(now))
        orders = await orders_of(tx, consumer_id, found)
    shown = [shown_loan(visit.locale, one, orders) for one in found]
    is_open = view.state not in ("not_opened", "pending", "rejected")
    return visit.render(
        "shop/credit.html",
        state=view.state,
        state_says=_state_says(visit, view, None if line is None else line.approved_minor),
        ways=[(href, texts.t(f"credit.{key}", visit.locale)) for href, key in WAYS.get(view.state, ())],
        principal_reasons=_principal(view, visit.locale) if view.state in ("rejected", "closed_by_lender") else (),
        limits=[_limit(ref, one, visit.locale) for one in view.limits] if is_open else [],
        may_ask_review=_may_ask_review(view),
        free_minor=sum(_free(one) for one in view.limits),
        overdue_minor=view.overdue_minor,
        next_due=_next_due(shown),
        loans=[one for one in shown if one.state == "active"],
        closed=[one for one in shown if one.state != "active"],
        agreement=view.agreement_signed,
        history=[move for move in reversed(history) if move.from_state != move.to_state][:12],
    )


def _may_ask_review(view: CreditView) -> bool:
    """Whether there is anything about the line that a person could look at again."""
    told = view.state in ("rejected", "closed_by_lender", "frozen") or view.reduced_from_minor is not None
    return told or any(one.frozen_minor for one in view.limits) or view.observed_until_on is not None


def _state_says(visit: Visit, view: CreditView, approved_minor: int | None) -> str:
    if view.state == "active":
        return ""
    until = view.expected_by_ms or view.frozen_until_ms or view.locked_until_ms
    values: dict[str, Any] = {"approved_minor": approved_minor, "from_on": view.reapply_from_on, "until_at_ms": until}
    return texts.t(f"credit.says_{view.state}", visit.locale, **values)


def _principal(view: CreditView, locale: Locale) -> tuple[ToldReason, ...]:
    """The principal reasons, exactly: it is the person's own page, behind their own sign-in."""
    told = []
    for code in view.principal_reasons:
        sentence = texts.render_reason(code, Audience.BUYER, locale, stepped_up=True)
        told.append(ToldReason(code, texts.title(code, locale, stepped_up=True), sentence, "user", "account", None))
    return tuple(told)


def _free(one: LimitView) -> int:
    return max(0, one.ceiling_minor - one.used_minor - one.held_minor - one.frozen_minor)


def _limit(ref: Reference, one: LimitView, locale: Locale) -> ShownLimit:
    says = []
    if one.expires_on is not None:
        says.append(texts.t("credit.limit_until", locale, expires_on=one.expires_on))
    if one.categories or one.scenes:
        names = [own(ref.tree.get(code), "name", locale) for code in one.categories if code in ref.tree]
        names += [texts.word("scene", scene, locale) for scene in one.scenes]
        says.append(
            texts.t("credit.limit_only", locale, for_what=("、" if locale is Locale.ZH_CN else ", ").join(names))
        )
    if not one.installable:
        says.append(texts.t("credit.limit_not_installable", locale))
    name = texts.t(f"credit.limit_{one.kind}", locale)
    return ShownLimit(
        name, one.ceiling_minor, one.used_minor, one.held_minor, one.frozen_minor, _free(one), " · ".join(says)
    )


async def orders_of(tx: Tx, consumer_id: UUID, found: list[Position]) -> Mapping[UUID, Order]:
    """The orders that loans paid, by id."""
    keys = [(consumer_id, one.loan.order_id) for one in found]
    return {one.order_id: one for one in (await order.get_many(tx, keys)).values()} if keys else {}


def shown_loan(locale: Locale, one: Position, orders: Mapping[UUID, Order]) -> ShownLoan:
    """A loan with the name of what it bought and how far it is repaid."""
    bought = orders.get(one.loan.order_id)
    state = one.state
    return ShownLoan(
        one.loan_id,
        own(bought.lines[0], "title", locale) if bought is not None else "",
        one.loan.plan,
        one.loan.disbursed_on,
        len(state.rows) - len(one.unpaid),
        len(state.rows),
        state.overdue_minor,
        state.next_due_on,
        state.next_due_minor,
        str(one.loan.state),
    )


class NextDue(NamedTuple):
    """The next due date with all that falls due on it."""

    due_on: date
    due_minor: int


def _next_due(shown: list[ShownLoan]) -> NextDue | None:
    days = [one.next_due_on for one in shown if one.next_due_on is not None]
    if not days:
        return None
    first = min(days)
    return NextDue(first, sum(one.next_due_minor for one in shown if one.next_due_on == first))


ROUTES = [get("/credit", page, Who.CONSUMER)]
