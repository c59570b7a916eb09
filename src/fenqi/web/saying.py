"""Reasons, remedies and routes in the reader's words, as templates show them: what, whose turn, what it costs.

The words are the catalogue's; here they are only put beside the data that a page needs (links, ids, names of goods).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from fenqi import texts
from fenqi.aftersales import Kind
from fenqi.aftersales import norm as case_norm
from fenqi.cashier.action import Cost, Remedy, Route, Wait
from fenqi.kernel.reason import CODES, Reason
from fenqi.texts import Audience, Locale, Said


class ToldReason(NamedTuple):
    """A reason as its reader sees it."""

    code: str
    title: str
    sentence: str
    turn: str
    """Who can change it: a member of `Fixer`."""
    layer: str
    until_ms: int | None


class Step(NamedTuple):
    """One action of a remedy."""

    label: str
    sentence: str


class ToldRemedy(NamedTuple):
    """A remedy with its steps in words and what it costs."""

    id: str
    steps: tuple[Step, ...]
    cost: Cost
    plan: str | None
    takes: str
    waits_until: int | None


class ToldRoute(NamedTuple):
    """A way that others decide; `href` or `form` where it can be begun here."""

    label: str
    sentence: str
    href: str = ""
    form: str = ""
    fields: Mapping[str, str] = {}


REQUESTS: Mapping[str, Kind] = {
    "appeal": Kind.APPEAL,
    "human_review": Kind.APPEAL,
    "raise_limit": Kind.RAISE_LIMIT,
    "contact_support": Kind.QUESTION,
    "settlement_plan": Kind.QUESTION,
}
"""The routes that begin with a request to people, and the kind of case that it becomes."""
Names = Mapping[str, Said]
_NONE: Names = {}


def tell_reasons(
    reasons: Sequence[Reason], locale: Locale, names: Names = _NONE, stepped_up: bool = False
) -> tuple[ToldReason, ...]:
    """The buyer's reasons in words, one that reads like another only once."""
    told: dict[tuple[str, str], ToldReason] = {}
    for reason in reasons:
        said = texts.tell(reason, Audience.BUYER, locale, stepped_up=stepped_up, names=names)
        meta = CODES[said.code]
        until_ms = reason.until_ms if said.code == reason.code else None
        told.setdefault(
            (said.code, said.sentence),
            ToldReason(said.code, said.title, said.sentence, str(meta.fixer), str(meta.layer), until_ms),
        )
    return tuple(told.values())


def tell_remedy(remedy: Remedy, remedy_id: str, locale: Locale, names: Callable[[Any], Names]) -> ToldRemedy:
    """A remedy in words; `names` gives, by action, the names of sellers and goods."""
    said = [texts.render_action(action, locale, names(action)) for action in remedy.actions]
    waits = [action.until_ms for action in remedy.actions if isinstance(action, Wait)]
    takes = ""
    if len(remedy.actions) == 1:
        takes = texts.action_time(kind_of(remedy.actions[0]), locale)
    steps = tuple(Step(one.label, one.sentence) for one in said)
    return ToldRemedy(remedy_id, steps, remedy.cost, remedy.plan, takes, max(waits) if waits else None)


def tell_route(
    route: Route, locale: Locale, intent_id: UUID, asks: Mapping[str, str], about: str = "", at: datetime | None = None,
    due_at: datetime | None = None,
) -> ToldRoute:  # fmt: skip
    """A route in words, with the door it begins at where there is one.

    `about` says, as a query, which refusal a request to people is against; with `at` such a route says by when, counted
    in working time, instead of its usual time; `due_at` is the promise of a review under way that it joins.
    """
    if route.kind in REQUESTS and about:
        return _request(route, locale, about, at, due_at)
    said = texts.render_route(route.kind, route.usual_ms, route.from_ms, locale)
    if route.kind == "ask_seller" and asks:
        return ToldRoute(said.label, said.sentence, form="/sellers/ask", fields=asks)
    doors = {
        "apply": "/credit/apply",
        "step_up": f"/step-up?next=/cashier/{intent_id}",
        "id_check": f"/prove/person?next=/cashier/{intent_id}",
    }
    href = doors.get(route.kind, "")
    return ToldRoute(said.label, said.sentence, href)


def _request(route: Route, locale: Locale, about: str, at: datetime | None, due_at: datetime | None) -> ToldRoute:
    """A route that begins with a request to people."""
    said = texts.render_route(route.kind, route.usual_ms if at is None else None, route.from_ms, locale)
    sentence = said.sentence
    if at is not None:
        due_at = due_at or case_norm.due_at(REQUESTS[route.kind], at)
        sentence += ("" if locale is Locale.ZH_CN else " ") + texts.t("requests.by_then", locale, due_at=due_at)
    return ToldRoute(said.label, sentence, f"/requests/new?route={route.kind}&{about}")


def kind_of(action: Any) -> str:
    """The action's kind as the API names it."""
    kind: str = action.__struct_config__.tag
    return kind


def bound(locale: Locale) -> dict[str, Any]:
    """What console templates call: a reason for any audience, an action's label, in this language."""
    return {
        "tell": lambda reason, audience: texts.tell(reason, Audience(audience), locale),
        "told_action": lambda action: texts.render_action(action, locale),
        "told_route": lambda route: texts.render_route(route.kind, route.usual_ms, route.from_ms, locale),
        "reason_meaning": lambda code: texts.meaning(code, locale),
        "reason_values": texts.values_of,
        "reason_meta": lambda code: CODES[code],
        "said": lambda name, value: said_value(name, value, locale),
    }


def said_value(name: str, value: Said, locale: Locale) -> str:
    """A value of a reason by its name, as the catalogue says values."""
    return texts.values.say_plain(name, value, locale)
