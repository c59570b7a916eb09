"""A quote as the buyer reads it: a card for each method, its plans priced, its refusals with reasons and ways out.

What the buyer may know is decided by the cashier (`offer_for`); here it is put into words with the names of goods and
sellers, and given the addresses of the doors.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from fenqi import cashier, texts
from fenqi.cashier import Facts, Offer, PlanFacts
from fenqi.cashier.action import Route
from fenqi.channels import shelf
from fenqi.credit import LoanPlan, PlanCost, build, plan_cost, terms_of
from fenqi.credit.schedule import Row
from fenqi.flows import remedy as remedies
from fenqi.flows.basis import covered
from fenqi.flows.naming import action_names as action_names
from fenqi.flows.naming import reason_names as reason_names
from fenqi.flows.quote import Quote, pricing
from fenqi.flows.reference import Reference
from fenqi.kernel.reason import Reason, Scope, ScopeKind
from fenqi.texts import Audience, Locale
from fenqi.web import saying

ICONS = {"credit": "credit", "money_account": "money"}
"""By method; those that channels execute have marks of their own."""
CREDIT, MONEY, CARD = "credit", "money_account", "bank_card"


class Part(NamedTuple):
    """A part of the amount that another method pays."""

    method: str
    amount_minor: int


class Figures(NamedTuple):
    """What a plan costs, as its row says it; without `annual_cost_ppm` nothing is borrowed."""

    instalments: int
    per_instalment_minor: int
    total_fee_minor: int
    total_minor: int
    annual_cost_ppm: int | None
    subsidy_minor: int = 0


class Other(NamedTuple):
    """Another way to pay, beside one that was refused."""

    method: str
    plan: str
    figures: Figures | PlanCost | None


class Told(NamedTuple):
    """One offer in words; `price` where its plan has a choice of them, `rows` for plans of the credit line."""

    plan: str
    available: bool
    reasons: tuple[saying.ToldReason, ...]
    remedies: tuple[saying.ToldRemedy, ...]
    routes: tuple[saying.ToldRoute, ...]
    incurable: bool
    price: Figures | PlanCost | None
    rows: tuple[Row, ...]


class Card(NamedTuple):
    """A method with all its plans; `shown` is the refused offer that is explained, `chosen` the plan in focus."""

    method: str
    icon: str
    says: str
    available: bool
    is_credit: bool
    is_outside: bool
    """A channel executes it."""
    is_main: bool
    """Shown in full even when refused; the others are folded."""
    plans: tuple[str, ...]
    chosen: str
    usable: tuple[Told, ...]
    refused: tuple[Told, ...]
    shown: Told | None


class Teller:
    """Puts one quote into words, for one reader."""

    def __init__(self, quote: Quote, ref: Reference, locale: Locale, part: Part | None = None) -> None:
        self.quote, self.ref, self.locale, self.part = quote, ref, locale, part
        self.facts: Facts = quote.facts if part is None else beside(quote.facts, part)
        self.stepped_up = quote.facts.consumer.stepped_up_until_ms > quote.facts.now_ms

    def offers(self) -> tuple[Offer, ...]:
        """The quote's offers; with a part paid otherwise, what the rest would meet (without remedies: they are found
        for the whole)."""
        if self.part is None:
            return self.quote.offers
        price = pricing(self.ref.product, self.facts)
        methods = [one.method for one in self.facts.methods if one.method != self.part.method]
        return cashier.offers(self.facts, with_remedies=False, price=price, methods=methods)

    def cards(self, method: str = "", plan: str = "") -> list[Card]:
        """A card for each method, the usable ones first; `method` and `plan` are what the reader looks at."""
        by_method: dict[str, list[Offer]] = {}
        for offer in self.offers():
            by_method.setdefault(offer.method, []).append(offer)
        cards = [self._card(name, some, plan if name == method else "") for name, some in by_method.items()]
        return sorted(cards, key=lambda card: (card.method not in (CREDIT, MONEY), not card.available))

    def _card(self, method: str, offers: list[Offer], plan: str) -> Card:
        plans = tuple(offer.plan or "full" for offer in offers)
        usable = tuple(self.tell(offer) for offer in offers if offer.available)
        refused = [offer for offer in offers if not offer.available]
        chosen = plan if plan in plans else _usual([one.plan for one in usable] or list(plans))
        shown = None
        if not usable:
            shown = self.tell(next(offer for offer in refused if (offer.plan or "full") == chosen))
        told = tuple(self.tell(offer) for offer in refused) if usable else ()
        is_credit = method == CREDIT
        return Card(
            method, ICONS.get(method, ""), self._says(method), bool(usable), is_credit,
            method in shelf.EXTERNAL, method in (CREDIT, MONEY), plans, chosen, usable, told, shown,
        )  # fmt: skip

    def bare(self, card: Card) -> Card:
        """The card as those see it who take part in the experiment: usable or not, and nothing else."""
        said = self.reasons((Reason("METHOD_UNAVAILABLE_NOW", card.method, Scope(ScopeKind.METHOD)),))

        def bared(told: Told) -> Told:
            return told._replace(reasons=said, remedies=(), routes=(), incurable=False)

        shown = None if card.shown is None else bared(card.shown)
        return card._replace(refused=tuple(bared(told) for told in card.refused), shown=shown)

    def _says(self, method: str) -> str:
        """The line below a method's name."""
        if method == MONEY:
            money = self.facts.money
            if not money.is_open:
                return texts.t("cashier.not_open_yet", self.locale)
            return texts.t("cashier.balance", self.locale, balance_minor=money.balance_minor)
        if method == CREDIT and self.facts.credit.state == "active":
            return texts.t("cashier.free_limit", self.locale, free_minor=free_minor(self.facts))
        if method == CREDIT:
            return texts.t("cashier.later_method", self.locale)
        return self._led(method)

    def _led(self, method: str) -> str:
        """How a channel leads its buyer there."""
        if method not in shelf.EXTERNAL or not self.ref.passages_of.get(method):
            return ""
        able = shelf.channel(method).capabilities
        bound = able.charges_bound and self.facts.consumer.cards
        way = "token" if bound else able.ways.get(self.facts.client, "")
        return texts.t(f"cashier.way_{way}", self.locale, method=method) if way else ""

    def parts(self) -> list[Part]:
        """Methods that could pay a part beside another one, each with the most that it could pay of this order."""
        found = []
        for method in self.quote.facts.methods:
            most_minor = min(self._most_minor(method.method), self.quote.facts.order.payable_minor - 1)
            part = Part(method.method, most_minor)
            if "mixed" in method.capabilities and most_minor > 0 and not self.against(part):
                found.append(part)
        return found

    def against(self, part: Part) -> tuple[saying.ToldReason, ...]:
        """What stands against a method paying this part."""
        facts = self.quote.facts
        rest = Part("", facts.order.payable_minor - part.amount_minor)
        plan = next((one.plan for one in facts.plans if one.method == part.method and one.instalments <= 1), None)
        found = cashier.evaluate(beside(facts, rest), part.method, plan)
        return self.reasons(cashier.for_audience(found, Audience.BUYER, self.stepped_up))

    def _most_minor(self, method: str) -> int:
        if method == MONEY:
            return self.quote.facts.money.balance_minor
        if method == CREDIT:
            return free_minor(self.quote.facts)
        return self.quote.facts.order.payable_minor

    def tell_other(self, offer: Offer) -> Other:
        """An offer as one line."""
        return Other(offer.method, offer.plan or "full", self._priced(offer)[0])

    def tell(self, offer: Offer) -> Told:
        """One offer as the buyer may see it, in words."""
        seen = cashier.offer_for(offer, Audience.BUYER, self.stepped_up)
        price, rows = self._priced(offer)
        return Told(
            offer.plan or "full",
            offer.available,
            self.reasons(seen.reasons),
            tuple(self._remedy(offer, place) for place in range(len(seen.remedies))),
            tuple(self._route(offer, route) for route in seen.routes),
            bool(seen.incurable),
            price,
            rows,
        )

    def reasons(self, reasons: tuple[Reason, ...]) -> tuple[saying.ToldReason, ...]:
        """Reasons with the names of what they are about."""
        told: list[saying.ToldReason] = []
        for reason in reasons:
            names = reason_names(reason, self.ref, self.locale)
            told += saying.tell_reasons([reason], self.locale, names, self.stepped_up)
        return tuple({(one.code, one.sentence): one for one in told}.values())

    def _remedy(self, offer: Offer, place: int) -> saying.ToldRemedy:
        name = remedies.remedy_id(self.quote.decision_id, offer, place)
        return saying.tell_remedy(
            offer.remedies[place], name, self.locale, action_names(self.quote.order, self.ref, self.locale)
        )

    def _route(self, offer: Offer, route: Route) -> saying.ToldRoute:
        about = f"decision={self.quote.decision_id}&method={offer.method}&plan={offer.plan or ''}"
        at = datetime.fromtimestamp(self.quote.facts.now_ms / 1000, UTC)
        review_ms = next((one.until_ms for one in offer.reasons if one.code == "RISK_MANUAL_REVIEW"), None)
        joins = route.kind == "human_review" and review_ms is not None
        due_at = datetime.fromtimestamp(review_ms / 1000, UTC) if joins and review_ms is not None else None
        return saying.tell_route(route, self.locale, self.quote.intent_id, self._asks(offer), about, at, due_at)

    def _asks(self, offer: Offer) -> Mapping[str, str]:
        """What asking the sellers to enable the method sends along."""
        sellers = sorted({x for r in offer.reasons if r.code == "SELLER_NOT_ENABLED" for x in r.scope.ids})
        asks = {"method": offer.method, "order_id": str(self.quote.order.order_id)}
        return asks if sellers else {}

    def _priced(self, offer: Offer) -> tuple[Figures | PlanCost | None, tuple[Row, ...]]:
        plan = plan_of(self.facts, offer.method, offer.plan)
        if plan is None or offer.amount_minor < 1:
            return None, ()
        if offer.method != CREDIT:
            return _figures(offer), ()
        subsidised = plan.interest_free_by is not None
        cost = plan_cost(offer.amount_minor, plan.instalments, plan.fee_rate_ppm, subsidised)
        loan = LoanPlan(plan.plan, plan.instalments, plan.fee_rate_ppm, subsidised)
        return cost, build(terms_of(loan, offer.amount_minor, self.facts.today_on)).rows


def beside(facts: Facts, part: Part) -> Facts:
    """The facts as they are for whatever pays the rest beside a part."""
    return covered(facts, part.amount_minor, part.method)


def _figures(offer: Offer) -> Figures:
    """What a plan of a channel's own costs; one sum costs nothing more."""
    cost = offer.cost
    if cost is None:
        return Figures(1, offer.amount_minor, 0, offer.amount_minor, None)
    return Figures(offer.instalments, cost.first_minor, cost.fee_minor, cost.total_minor, cost.annual_cost_ppm)


def plan_of(facts: Facts, method: str, plan: str | None) -> PlanFacts | None:
    """The plan's row among the facts."""
    return next((one for one in facts.plans if (one.method, one.plan) == (method, plan)), None)


def free_minor(facts: Facts) -> int:
    """What the limits that are for anything leave, as the cashier's head line says it."""
    general = [one for one in facts.credit.limits if not one.categories and not one.scenes]
    return max(0, sum(x.ceiling_minor - x.used_minor - x.held_minor - x.frozen_minor for x in general))


def _usual(plans: list[str]) -> str:
    """The plan shown first: twelve instalments where there are, else one sum, else the last one."""
    return next((plan for plan in ("instalment_12", "full") if plan in plans), plans[-1])
