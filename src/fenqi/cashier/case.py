"""A case: the facts seen from one payment method (and plan), with what every gate would look up found once.

`View` belongs to the facts and is shared by all methods; `Case` is what a gate is handed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from fenqi.cashier.action import Action, Remedy
from fenqi.cashier.facts import Facts, GoodsRule, LineFacts, MethodFacts, PlanFacts, SellerFacts
from fenqi.kernel.reason import Reason, Scope, ScopeKind, Value

OWN_METHODS = frozenset({"credit", "money_account"})
"""The methods that live on the buyer's accounts here: identity, pay password and limits are judged for them."""

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_ZONE_MS = 8 * _HOUR_MS
_EPOCH = date(1970, 1, 1)
_NOTHING: dict[str, Value] = {}

_SCOPES = {kind: Scope(kind) for kind in ScopeKind}

RuleKey = tuple[str, str, str, str, str]


def business_date_of(at_ms: int) -> date:
    """The business date of an instant: the calendar day at UTC+8, which the mall's zone keeps all year."""
    return _EPOCH + timedelta(days=(at_ms + _ZONE_MS) // _DAY_MS)


def start_of_day_ms(on: date) -> int:
    """The instant at which business date `on` begins."""
    return (on - _EPOCH).days * _DAY_MS - _ZONE_MS


def end_of_day_ms(on: date) -> int:
    """The first instant after business date `on`."""
    return start_of_day_ms(on) + _DAY_MS


class View:
    """Facts with their lookups; `after` remembers what each action led to, and the dicts what was judged already."""

    __slots__ = (
        "_methods", "_plans", "_rules", "_sellers", "after", "amount_minor", "cases", "facts", "found", "found_all",
        "found_plan",
        "marked",
        "proposed",
        "shared",
    )  # fmt: skip

    def __init__(self, facts: Facts, parent: View | None = None) -> None:
        self.facts = facts
        self.amount_minor = facts.order.payable_minor - facts.order.covered_minor
        self.after: dict[Action, View | None] = {}
        self.cases: dict[str, Case] = {}
        self.shared: dict[str, tuple[Remedy, ...]] = {}
        self.marked: dict[tuple[str, str | None], tuple[str, ...]] = {}
        self.proposed: dict[tuple[int, str | None], list[tuple[Action, ...]]] = {}
        self.found: dict[str, tuple[Reason, ...]] = {}
        self.found_all: dict[tuple[str, str | None], tuple[Reason, ...]] = {}
        self.found_plan: dict[tuple[str, str | None], tuple[Reason, ...]] = {}
        old = parent.facts if parent is not None else None
        self._rules: dict[RuleKey, GoodsRule] = (
            parent._rules
            if parent is not None and old is not None and old.rules is facts.rules
            else _by_key(facts.rules)
        )
        self._sellers: dict[str, SellerFacts] = (
            parent._sellers
            if parent is not None and old is not None and old.sellers is facts.sellers
            else {seller.merchant_id: seller for seller in facts.sellers}
        )
        self._methods: dict[str, MethodFacts] = (
            parent._methods
            if parent is not None and old is not None and old.methods is facts.methods
            else {method.method: method for method in facts.methods}
        )
        self._plans: dict[str, dict[str | None, PlanFacts]] = (
            parent._plans
            if parent is not None and old is not None and old.plans is facts.plans
            else _plans_by_method(facts.plans)
        )

    def rule(self, scene: str, category: str, seller: SellerFacts, method: str) -> GoodsRule | None:
        """The row of policy for these goods, the seller's own before that of its kind; None when none covers them."""
        rule = self._rules.get((scene, category, seller.kind, method, seller.merchant_id))
        if rule is None:
            rule = self._rules.get((scene, category, seller.kind, method, ""))
        return rule if rule is not None and rule.matched else None

    def seller(self, merchant_id: str) -> SellerFacts:
        """The seller; facts that name one without describing it are a bug."""
        return self._sellers[merchant_id]

    def method(self, method: str) -> MethodFacts:
        """The method as it stands; one that nobody connected is offered nowhere."""
        return self._methods.get(method) or MethodFacts(method, (), ())

    def plans(self, method: str) -> Iterable[PlanFacts]:
        """The method's plans."""
        return self._plans.get(method, _NO_PLANS).values()

    def plan(self, method: str, plan: str | None) -> PlanFacts | None:
        """A plan of the method by its code."""
        return self._plans.get(method, _NO_PLANS).get(plan)

    def case(self, method: str) -> Case:
        """The case of a method without a plan."""
        case = self.cases.get(method)
        if case is None:
            case = self.cases[method] = Case(self, method)
        return case


def _by_key(rules: Iterable[GoodsRule]) -> dict[RuleKey, GoodsRule]:
    return {(rule.scene, rule.category, rule.seller_kind, rule.method, rule.merchant_id): rule for rule in rules}


def _plans_by_method(plans: Iterable[PlanFacts]) -> dict[str, dict[str | None, PlanFacts]]:
    found: dict[str, dict[str | None, PlanFacts]] = {}
    for plan in plans:
        found.setdefault(plan.method, {})[plan.plan] = plan
    return found


_NO_PLANS: dict[str | None, PlanFacts] = {}


class Case:
    """What a gate is handed: the facts, the method, the amount it has to pay, and perhaps a plan."""

    __slots__ = ("amount_minor", "facts", "goods", "line_faults", "method", "plan", "plan_code", "terms", "view")

    def __init__(self, view: View, method: str) -> None:
        facts = view.facts
        self.view = view
        self.facts = facts
        self.method = method
        self.terms = view.method(method)
        self.amount_minor = view.amount_minor
        self.plan: PlanFacts | None = None
        self.plan_code: str | None = None
        scene = facts.order.scene
        self.goods: tuple[tuple[LineFacts, SellerFacts, GoodsRule | None], ...] = tuple(
            (line, seller, view.rule(scene, line.category, seller, method))
            for line in facts.lines
            for seller in (view.seller(line.merchant_id),)
        )
        """Each line with its seller and the row of policy that covers it."""
        self.line_faults: tuple[tuple[LineFacts, SellerFacts, GoodsRule | None, str], ...] | None = None

    def with_plan(self, plan_code: str | None) -> Case:
        """The same case for one of the method's plans (`plan` is None when there is no such plan)."""
        other = Case.__new__(Case)
        other.view, other.facts, other.method, other.terms = self.view, self.facts, self.method, self.terms
        other.amount_minor, other.goods, other.line_faults = self.amount_minor, self.goods, self.line_faults
        other.plan = self.view.plan(self.method, plan_code)
        other.plan_code = plan_code
        return other

    @property
    def is_credit(self) -> bool:
        """Whether the method lends."""
        return self.method == "credit"

    @property
    def is_own(self) -> bool:
        """Whether the method lives on the buyer's accounts here."""
        return self.method in OWN_METHODS

    def reason(
        self,
        code: str,
        kind: ScopeKind = ScopeKind.ORDER,
        ids: tuple[str, ...] = (),
        observed: dict[str, Value] = _NOTHING,
        required: dict[str, Value] = _NOTHING,
        until_ms: int | None = None,
        depends_on: str | None = None,
    ) -> Reason:
        """A reason of this case; it names the plan when the case has one."""
        scope = Scope(kind, ids) if ids else _SCOPES[kind]
        return Reason(
            code,
            self.method,
            scope,
            observed,
            required,
            self.plan_code,
            until_ms,
            depends_on,
            self.facts.policy_version,
        )
