"""Offers as the buyer's API shows them: what is hidden by its public twin, and every reason and remedy in words."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import cashier, texts
from fenqi.cashier import Action, Cost, Facts, Offer, PlanCost, Route
from fenqi.flows import remedy
from fenqi.kernel.reason import Reason, Scope, Value
from fenqi.texts import Audience, Locale


class ReasonView(msgspec.Struct, frozen=True):
    """Why not: the code that this audience may see, in words, with what was observed and what is required."""

    code: str
    layer: str
    fixer: str
    title: str
    text: str
    scope: Scope
    observed: dict[str, Value] = {}
    required: dict[str, Value] = {}
    until_ms: int | None = None
    depends_on: str | None = None


class StepView(msgspec.Struct, frozen=True):
    """One step of a remedy."""

    action: Action
    label: str
    text: str


class RemedyView(msgspec.Struct, frozen=True):
    """What has been shown to make the method usable; carried out by `POST /v1/remedies/{id}:apply`."""

    id: str
    steps: tuple[StepView, ...]
    cost: Cost
    plan: str | None = None


class RouteView(msgspec.Struct, frozen=True):
    """A way whose outcome others decide."""

    route: Route
    label: str
    text: str


class OfferView(msgspec.Struct, frozen=True):
    """A method with a plan: available, or every reason why not, and what would cure it."""

    method: str
    plan: str | None
    amount_minor: int
    instalments: int
    available: bool
    cost: PlanCost | None
    reasons: tuple[ReasonView, ...]
    remedies: tuple[RemedyView, ...]
    routes: tuple[RouteView, ...]
    incurable: tuple[str, ...]


def is_stepped_up(facts: Facts) -> bool:
    """Whether the buyer confirmed lately who they are."""
    return facts.consumer.stepped_up_until_ms > facts.now_ms


def offer_view(decision_id: UUID, offer: Offer, facts: Facts, locale: Locale) -> OfferView:
    """The offer for its buyer."""
    return offer_told(decision_id, offer, Audience.BUYER, locale, is_stepped_up(facts))


def offer_told(
    decision_id: UUID, offer: Offer, audience: Audience, locale: Locale, stepped_up: bool = False
) -> OfferView:
    """The offer as an audience may see it."""
    told = cashier.offer_for(offer, audience, stepped_up)
    return OfferView(
        told.method,
        told.plan,
        told.amount_minor,
        told.instalments,
        told.available,
        told.cost,
        reason_views(told.reasons, locale, stepped_up, audience),
        tuple(
            RemedyView(remedy.remedy_id(decision_id, offer, place), _steps(one, locale), one.cost, one.plan)
            for place, one in enumerate(told.remedies)
        ),
        tuple(_route(route, locale) for route in told.routes),
        told.incurable,
    )


def reason_views(
    reasons: tuple[Reason, ...], locale: Locale, stepped_up: bool, audience: Audience = Audience.BUYER
) -> tuple[ReasonView, ...]:
    """Reasons, already those that the audience may see, in words."""
    return tuple(_reason(reason, locale, stepped_up, audience) for reason in reasons)


def _reason(reason: Reason, locale: Locale, stepped_up: bool, audience: Audience) -> ReasonView:
    said = texts.tell(reason, audience, locale, stepped_up=stepped_up)
    return ReasonView(
        said.code,
        str(reason.meta.layer),
        str(reason.meta.fixer),
        said.title,
        said.sentence,
        reason.scope,
        reason.observed,
        reason.required,
        reason.until_ms,
        reason.depends_on,
    )


def _steps(one: cashier.Remedy, locale: Locale) -> tuple[StepView, ...]:
    return tuple(StepView(action, *texts.render_action(action, locale)) for action in one.actions)


def _route(route: Route, locale: Locale) -> RouteView:
    return RouteView(route, *texts.render_route(route.kind, route.usual_ms, route.from_ms, locale))
