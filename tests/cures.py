"""Counterfactuals: for each reason the facts with its cause set right, whoever could do that, and however.

Written apart from the remedies on purpose: the test of the second law must not believe the code that it tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from fenqi.cashier.facts import ExposureFacts, Facts, GoodsRule, LimitFacts, LineFacts, MethodFacts, PlanFacts
from fenqi.kernel.reason import Reason, ScopeKind

AMPLE_MINOR = 1 << 50

INCURABLE = frozenset(
    {
        "SELF_DEALING",
        "CURRENCY_NOT_SUPPORTED",
        "ENTERPRISE_ORDER",
        "AGE_INELIGIBLE",
        "REGION_INELIGIBLE",
        "STUDENT_RESTRICTED",
        "ORDER_PAID",
    }
)
"""Reasons that nobody can make go away by right, though a counterfactual can."""

DERIVED = frozenset({"MIXED_CART_PARTIAL"})
"""Reasons that say something of others and go with them."""


@dataclass(frozen=True)
class Told:
    """A reason with the facts that it was found on."""

    facts: Facts
    reason: Reason

    def method(self, change: Callable[[MethodFacts], MethodFacts]) -> Facts:
        """The facts with the reason's method changed."""
        methods = tuple(change(x) if x.method == self.reason.method else x for x in self.facts.methods)
        return replace(self.facts, methods=methods)

    def order(self, **changes: Any) -> Facts:
        """The facts with the order changed."""
        return replace(self.facts, order=replace(self.facts.order, **changes))

    def consumer(self, **changes: Any) -> Facts:
        """The facts with the consumer changed."""
        return replace(self.facts, consumer=replace(self.facts.consumer, **changes))

    def credit(self, **changes: Any) -> Facts:
        """The facts with the credit line changed."""
        return replace(self.facts, credit=replace(self.facts.credit, **changes))

    def money(self, **changes: Any) -> Facts:
        """The facts with the money account changed."""
        return replace(self.facts, money=replace(self.facts.money, **changes))

    def lines(self, **changes: Any) -> Facts:
        """The facts with the lines that the reason is about changed; all of them when it names none."""
        ids = self.reason.scope.ids
        lines = tuple(replace(x, **changes) if x.line_id in ids or not ids else x for x in self.facts.lines)
        return replace(self.facts, lines=lines)

    def sellers(self, **changes: Any) -> Facts:
        """The facts with the sellers that the reason is about changed."""
        ids = self.reason.scope.ids
        return replace(
            self.facts, sellers=tuple(replace(x, **changes) if x.merchant_id in ids else x for x in self.facts.sellers)
        )

    def plan(self, change: Callable[[PlanFacts], PlanFacts]) -> Facts:
        """The facts with the reason's plan changed."""
        plans = tuple(
            change(x) if (x.method, x.plan) == (self.reason.method, self.reason.plan) else x for x in self.facts.plans
        )
        return replace(self.facts, plans=plans)

    def rules(self, change: Callable[[GoodsRule], GoodsRule]) -> Facts:
        """The facts with every rule of this method changed that covers one of the lines."""
        goods = {(line.category, self.kind(line)) for line in self.facts.lines}
        return replace(
            self.facts,
            rules=tuple(
                change(x) if x.method == self.reason.method and (x.category, x.seller_kind) in goods else x
                for x in self.facts.rules
            ),
        )

    def kind(self, line: LineFacts) -> str:
        """The kind of the line's seller."""
        return next(x.kind for x in self.facts.sellers if x.merchant_id == line.merchant_id)

    def without_coupon(self) -> Facts:
        """The facts with the discounts in question bound to nothing."""
        ids = self.reason.scope.ids
        free = {"methods": (), "combines_with_credit": True, "combines_with_interest_free": True}
        coupons = tuple(replace(x, **free) if x.coupon_id in ids else x for x in self.facts.coupons)
        return replace(self.facts, coupons=coupons)

    def ample_limit(self) -> Facts:
        """The facts with a fixed limit for everything added."""
        ample = LimitFacts("asset:loan_principal:ample", "fixed", AMPLE_MINOR)
        return self.credit(limits=(*self.facts.credit.limits, ample))

    def allowed(self) -> Facts:
        """The facts with a rule for each line, and every one of them an allowing one."""
        added = tuple(
            GoodsRule(self.facts.order.scene, line.category, self.kind(line), self.reason.method)
            for line in self.facts.lines
        )
        keys = {(x.scene, x.category, x.seller_kind, x.method) for x in added}
        rules = tuple(x for x in self.facts.rules if (x.scene, x.category, x.seller_kind, x.method) not in keys)
        return replace(self.facts, rules=(*rules, *dict.fromkeys(added)))

    def channel(self, **changes: Any) -> Facts:
        """The facts with the method's channel changed."""
        return self.method(lambda x: replace(x, channel=replace(x.channel, **changes)) if x.channel else x)

    def active_line(self) -> Facts:
        """The facts with the credit line open, active and agreed to."""
        credit = self.facts.credit
        return self.credit(state="active", agreement_signed=credit.agreement_required, consent_given=True)

    def uncapped(self, window: str) -> Facts:
        """The facts without the caps of one window."""
        changed = self.method(lambda x: replace(x, caps=tuple(cap for cap in x.caps if cap.window != window)))
        if window != "single":
            return changed
        return Told(changed, self.reason).method(lambda x: replace(x, single_cap_minor=None))


Cure = Callable[[Told], Facts]


def _add(values: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*values, *more)))


def _roomy(exposure: tuple[ExposureFacts, ...]) -> tuple[ExposureFacts, ...]:
    return tuple(replace(x, room_minor=AMPLE_MINOR) for x in exposure)


def _no_risk(told: Told) -> Facts:
    risk = told.facts.risk
    left = tuple(code for code in risk.codes if code != told.reason.code)
    findings = tuple(each for each in risk.findings if each.code != told.reason.code)
    return replace(told.facts, risk=replace(risk, codes=left, findings=findings))


def _fresh_step_up(told: Told) -> Facts:
    return told.consumer(stepped_up_until_ms=told.facts.now_ms + 1)


def _offered_terms(told: Told) -> Facts:
    freed = told.rules(lambda x: replace(x, terms=None))
    return Told(freed, told.reason).method(lambda x: replace(x, most_instalments=None))


CURES: dict[str, Cure] = {
    "METHOD_NOT_IN_SCENE": lambda t: t.method(lambda x: replace(x, offered_in=_add(x.offered_in, t.facts.order.scene))),
    "METHOD_NOT_INTEGRATED": lambda t: (
        t.method(
            lambda x: replace(
                x,
                integrated_in=_add(x.integrated_in, t.facts.order.scene),
                capabilities=_add(x.capabilities, *t.facts.order.needs),
            )
        )
        if "covered_by" not in t.reason.observed
        else t.order(covered_by="")
    ),
    "METHOD_SUSPENDED": lambda t: t.method(lambda x: replace(x, suspended=False)),
    "EXPOSURE_CAP_REACHED": lambda t: t.method(lambda x: replace(x, exposure=_roomy(x.exposure))),
    "POLICY_MISSING": lambda t: t.rules(lambda x: replace(x, matched=True)),
    "SELLER_NOT_ENABLED": lambda t: t.sellers(methods=(t.reason.method,)),
    "SELLER_TYPE_EXCLUDED": lambda t: t.rules(lambda x: replace(x, verdict="allow")),
    "SELLER_STATUS_ABNORMAL": lambda t: t.sellers(status="active"),
    "SELF_DEALING": lambda t: t.sellers(related_to_buyer=False),
    "GOODS_CATEGORY_EXCLUDED": lambda t: t.rules(lambda x: replace(x, verdict="allow")),
    "GOODS_VIRTUAL_SCENE_SUSPENDED": lambda t: t.credit(virtual_suspended=False),
    "GOODS_GIFT_OR_ADDON": lambda t: t.lines(is_gift=False),
    "PRESALE_DEPOSIT": lambda t: t.order(presale_stage="tail"),
    "CROSS_BORDER": lambda t: t.lines(is_cross_border=False),
    "RECURRING_OR_SUBSCRIPTION": lambda t: t.lines(is_subscription=False),
    "ENTERPRISE_ORDER": lambda t: t.order(buyer_kind="person"),
    "AMOUNT_BELOW_MIN": lambda t: (
        t.channel(min_minor=0)
        if t.reason.scope.kind is ScopeKind.CHANNEL
        else Told(t.rules(lambda x: replace(x, min_minor=0)), t.reason).plan(lambda x: replace(x, min_minor=0))
    ),
    "AMOUNT_ABOVE_MAX": lambda t: (
        t.channel(max_minor=None)
        if t.reason.scope.kind is ScopeKind.CHANNEL
        else Told(t.rules(lambda x: replace(x, max_minor=None)), t.reason).plan(lambda x: replace(x, max_minor=None))
    ),
    "DELIVERY_METHOD_EXCLUDED": lambda t: t.method(lambda x: replace(x, deliveries_excluded=())),
    "CURRENCY_NOT_SUPPORTED": lambda t: t.method(lambda x: replace(x, currencies=("CNY",))),
    "FORBIDDEN_WORD": lambda t: t.lines(forbidden_word=False),
    "PLAN_TERM_NOT_OFFERED": _offered_terms,
    "DOWN_PAYMENT_REQUIRED": lambda t: t.method(lambda x: replace(x, down_payment_ppm=0)),
    "PLAN_TERM_CONFLICT": lambda t: t.order(prior_plan=None),
    "PLAN_APR_CAP": lambda t: t.plan(lambda x: replace(x, annual_cost_ppm=0)),
    "COUPON_EXCLUSIVE": Told.without_coupon,
    "COUPON_METHOD_BOUND": Told.without_coupon,
    "INTEREST_FREE_QUOTA_USED": lambda t: t.plan(lambda x: replace(x, interest_free_uses_left=1)),
    "BUDGET_EXHAUSTED": lambda t: t.plan(
        lambda x: replace(x, interest_free_budget_minor=None, interest_free_until_ms=None)
    ),
    "TRADE_IN_SUBSIDY_EXCLUSIVE": lambda t: t.lines(is_trade_in_subsidised=False),
    "CREDIT_NOT_OPENED": Told.active_line,
    "CREDIT_NOT_ACTIVATED": Told.active_line,
    "CREDIT_APPLICATION_PENDING": Told.active_line,
    "CREDIT_APPLICATION_REJECTED": Told.active_line,
    "CREDIT_COOLING_OFF": lambda t: t.credit(reapply_from_on=None),
    "CREDIT_CLOSED_BY_USER": Told.active_line,
    "CREDIT_CLOSED_BY_LENDER": Told.active_line,
    "CREDIT_SELF_LOCKED": Told.active_line,
    "CREDIT_DORMANT_LOCKED": Told.active_line,
    "CREDIT_ACCOUNT_LOCKED_PIN": Told.active_line,
    "CREDIT_AGREEMENT_EXPIRED": lambda t: t.credit(agreement_signed=t.facts.credit.agreement_required),
    "CREDIT_AUTH_WITHDRAWN": lambda t: t.credit(consent_given=True),
    "CREDIT_ON_OTHER_ACCOUNT": lambda t: t.credit(opened_on_other_account=False),
    "AGE_INELIGIBLE": lambda t: t.consumer(age=30),
    "REGION_INELIGIBLE": lambda t: t.consumer(region="CN"),
    "STUDENT_RESTRICTED": lambda t: t.consumer(is_student=False),
    "REALNAME_REQUIRED": lambda t: t.consumer(real_name="verified"),
    "REALNAME_MISMATCH": lambda t: t.consumer(real_name="verified"),
    "ID_DOCUMENT_EXPIRED": lambda t: t.consumer(id_document_until_on=t.facts.today_on),
    "PHONE_NOT_REACHABLE": lambda t: t.consumer(phone_reachable=True),
    "PAY_PASSWORD_NOT_SET": lambda t: t.consumer(pay_password="set"),
    "PAY_PASSWORD_LOCKED": lambda t: t.consumer(pay_password="set"),
    "STEP_UP_REQUIRED": _fresh_step_up,
    "SMS_LIMIT": lambda t: t.consumer(sms_blocked_until_ms=None),
    "PAYER_NOT_ACCOUNT_OWNER": lambda t: t.consumer(is_payer_owner=True),
    "OVERDUE_CURRENT": lambda t: t.credit(overdue_minor=0),
    "OVERDUE_RECENT_HISTORY": lambda t: t.credit(observed_until_on=None),
    "OVERDUE_WITH_OTHERS": lambda t: t.credit(overdue_with_others=False),
    "REPAYMENT_DISPUTED": lambda t: t.credit(dispute_case=None),
    "COLLECTIONS_OR_LEGAL": lambda t: t.credit(in_collections=False),
    "HARDSHIP_PLAN_ACTIVE": lambda t: t.credit(hardship_until_on=None),
    "LIMIT_INSUFFICIENT": Told.ample_limit,
    "LIMIT_SINGLE_TXN_CAP": lambda t: t.uncapped("single"),
    "LIMIT_DAILY_CAP": lambda t: t.uncapped("day"),
    "LIMIT_MONTHLY_CAP": lambda t: t.uncapped("month"),
    "LIMIT_SCENE_MISMATCH": lambda t: t.credit(
        limits=tuple(replace(x, scenes=(), categories=()) for x in t.facts.credit.limits)
    ),
    "LIMIT_TEMPORARY_EXPIRED": lambda t: t.credit(
        limits=tuple(replace(x, expires_on=None) for x in t.facts.credit.limits)
    ),
    "LIMIT_TEMP_NOT_INSTALLABLE": lambda t: t.credit(
        limits=tuple(replace(x, installable=True) for x in t.facts.credit.limits)
    ),
    "LIMIT_REDUCED": lambda t: t.credit(
        limits=tuple(
            replace(x, ceiling_minor=max(x.ceiling_minor, t.facts.credit.reduced_from_minor or 0))
            if x.kind == "fixed"
            else x
            for x in t.facts.credit.limits
        )
    ),
    "LIMIT_FROZEN": lambda t: t.credit(
        state="active" if t.facts.credit.state == "frozen" else t.facts.credit.state,
        limits=tuple(replace(x, frozen_minor=0) for x in t.facts.credit.limits),
    ),
    "LIMIT_HELD_BY_PENDING": lambda t: t.credit(
        holds=(), limits=tuple(replace(x, held_minor=0) for x in t.facts.credit.limits)
    ),
    "LIMIT_OVERDRAWN": Told.ample_limit,
    "INSTALLMENT_LIMIT_INSUFFICIENT": lambda t: t.credit(instalment_ceiling_minor=None),
    "CONCURRENT_LOANS_CAP": lambda t: t.credit(loans_cap=0),
    "BALANCE_INSUFFICIENT": lambda t: t.money(balance_minor=AMPLE_MINOR),
    "PAY_SWITCH_OFF": lambda t: t.money(pay_switch_on=True),
    "NO_INSTRUMENT": lambda t: Told(t.money(is_open=True, state="active"), t.reason).consumer(cards=1),
    "CHANNEL_NOT_CONTRACTED": lambda t: t.channel(contracted=True, scenes=(), sellers=()),
    "CHANNEL_MAINTENANCE": lambda t: t.channel(state="up"),
    "CHANNEL_DOWN": lambda t: t.channel(state="up"),
    "CHANNEL_TIMEOUT": lambda t: t.channel(state="up"),
    "CHANNEL_RATE_LIMITED": lambda t: t.channel(state="up"),
    "CLIENT_UNSUPPORTED": lambda t: t.channel(clients=()),
    "ORDER_PAID": lambda t: t.order(state="awaiting_payment"),
    "ORDER_CLOSED": lambda t: t.order(state="awaiting_payment", pay_by_ms=t.facts.now_ms + 1),
    "ORDER_EXPIRED": lambda t: t.order(state="awaiting_payment", pay_by_ms=t.facts.now_ms + 1),
    "AMOUNT_CHANGED": lambda t: t.order(quoted_minor=t.facts.order.payable_minor),
    "PAYMENT_IN_PROGRESS": lambda t: t.order(open_attempt=None),
    "DUPLICATE_REVERSING": lambda t: t.order(duplicate_reversing_until_ms=None),
}
"""Code → its counterfactual. Principal reasons of a refusal go with the refusal; risk codes see `cure`."""


def cure(facts: Facts, reason: Reason) -> Facts:
    """The facts with the cause of this reason set right."""
    told = Told(facts, reason)
    if reason.code.startswith("CR_") or reason.code in DERIVED:
        return facts
    if "told_by" in reason.observed:
        return told.method(lambda x: replace(x, told=tuple(each for each in x.told if each.code != reason.code)))
    if reason.meta.group == "E":
        return _no_risk(told)
    return CURES[reason.code](told)
