"""Facts: everything an evaluation may look at, frozen and typed, gathered in one round of queries before it.

Derived values only, never a name, id number, phone or address, so that a stored decision can be replayed for ever.
Amounts are fen (`_minor`), instants Unix milliseconds (`_ms`), business dates `_on`. A date named `until` or `expires`
counts as a whole: what ends "until" the 5th holds through the 5th; an instant named `until` is the first that is free.
"""

from __future__ import annotations

from datetime import date

from fenqi.cashier.method_facts import CapFacts as CapFacts
from fenqi.cashier.method_facts import ChannelFacts as ChannelFacts
from fenqi.cashier.method_facts import ExposureFacts as ExposureFacts
from fenqi.cashier.method_facts import Fact
from fenqi.cashier.method_facts import MethodFacts as MethodFacts
from fenqi.cashier.method_facts import ToldFacts as ToldFacts

EVALUATOR_VERSION = 1
"""Raised when a gate's semantics change; the old gate stays beside the new one, for replays."""


class Versions(Fact, frozen=True):
    """What the paying batch compares before it believes facts gathered earlier."""

    consumer: int = 0
    line: int = 0
    order: int = 0
    reference: int = 0


class SellerFacts(Fact, frozen=True):
    """A merchant as one of the order's sellers."""

    merchant_id: str
    kind: str
    """self_operated | third_party | external"""
    status: str = "active"
    """active | frozen | contract_expired | collection_cap | closed"""
    status_until_ms: int | None = None
    methods: tuple[str, ...] = ()
    """Methods that the merchant's contract enables."""
    related_to_buyer: bool = False
    asked_count: int = 0
    """How many buyers asked this seller to enable the method."""
    code: str = ""
    """The shop's code, by which policy names it."""


class AlternativeOffer(Fact, frozen=True):
    """The same goods from another seller, in stock now."""

    sku_id: str
    merchant_id: str
    amount_minor: int
    """For the line's whole quantity; shares of coupons on the line fall away with the change."""
    is_cross_border: bool | None = None
    """Of that seller's offer, as the two below; None: as the line is now."""
    is_subscription: bool | None = None
    is_trade_in_subsidised: bool | None = None


class LineFacts(Fact, frozen=True):
    """One line of the order."""

    line_id: str
    sku_id: str
    category: str
    """The leaf category's code; rules are looked up by it and its ancestors when facts are gathered."""
    merchant_id: str
    amount_minor: int
    """Price × quantity less the line's share of discounts."""
    quantity: int = 1
    is_gift: bool = False
    is_virtual: bool = False
    is_cross_border: bool = False
    is_subscription: bool = False
    is_trade_in_subsidised: bool = False
    forbidden_word: bool = False
    quoted_minor: int | None = None
    """What the line costs now, when that differs from `amount_minor` (None: the same)."""
    in_stock: bool = True
    """Whether the same goods could be ordered again now."""
    ancestors: tuple[str, ...] = ()
    """The categories above `category`; a dedicated limit may name any of them."""
    alternatives: tuple[AlternativeOffer, ...] = ()


class OrderFacts(Fact, frozen=True):
    """The order that is to be paid."""

    order_id: str
    scene: str
    """mall | instalment_mall | partner_store | scan_to_pay"""
    state: str
    """awaiting_payment | paid | closed | expired"""
    currency: str
    payable_minor: int
    pay_by_ms: int
    quoted_minor: int
    """What the goods cost now; differs from `payable_minor` when a price changed since the order was placed."""
    buyer_kind: str = "person"
    """person | enterprise"""
    delivery: str = "express"
    """express | pick_up | cash_on_delivery | virtual"""
    presale_stage: str | None = None
    """None | deposit | tail"""
    tail_from_ms: int | None = None
    tail_minor: int = 0
    """What the final payment of a presale will be, once its deposit is paid."""
    tail_pay_by_ms: int | None = None
    pay_window_ms: int = 1_800_000
    """How long an order placed now may wait for its payment."""
    also_deliveries: tuple[str, ...] = ()
    """Other ways of delivery that every line allows."""
    needs: tuple[str, ...] = ()
    """Capabilities that a method must have for this order: split (several sellers), partial_refund … (A method that can
    be one of two tenders has the capability `mixed`.)"""
    open_attempt: str | None = None
    """The method of a payment attempt under way for this order."""
    open_attempt_until_ms: int | None = None
    duplicate_reversing_until_ms: int | None = None
    prior_plan: str | None = None
    """The plan of an earlier external trade under the same trade number."""
    also_in_scenes: tuple[str, ...] = ()
    """Other scenes in which every line of this order is sold at the same price."""
    covered_minor: int = 0
    """What another tender of the same payment pays; the method judged pays the rest."""
    covered_by: str = ""
    """The method of that other tender, where it matters which: a payment has one tender outside at most."""


class ConsumerFacts(Fact, frozen=True):
    """The buyer and payer."""

    age: int
    region: str = "CN"
    """CN | HK | MO | TW | other"""
    real_name: str = "verified"
    """none | verified | mismatch"""
    id_document_until_on: date | None = None
    phone_reachable: bool = True
    is_student: bool = False
    pay_password: str = "set"
    """none | set | locked"""
    pay_password_locked_until_ms: int | None = None
    stepped_up_until_ms: int = 0
    """Until when the last step-up check (pay password or SMS code) holds."""
    sms_blocked_until_ms: int | None = None
    is_payer_owner: bool = True
    step_up_ms: int = 900_000
    """How long a step-up check holds."""
    cards: int = 0
    """Usable bound bank cards."""
    segments: tuple[str, ...] = ()
    """Groups that the consumer has shown to belong to, as policy names them."""
    account_age_days: int = 0
    pd_ppm: int | None = None
    """The calibrated probability of going bad within a year, in millionths; None: nobody has scored this consumer."""


class LimitFacts(Fact, frozen=True):
    """One limit of the credit line; `path` is the limit-bearing ledger account that it bounds."""

    path: str
    kind: str
    """fixed | temporary | dedicated"""
    ceiling_minor: int
    used_minor: int = 0
    held_minor: int = 0
    frozen_minor: int = 0
    scenes: tuple[str, ...] = ()
    """Empty: everywhere."""
    categories: tuple[str, ...] = ()
    """Empty: everything."""
    expires_on: date | None = None
    installable: bool = True
    version: int = 0


class HoldFacts(Fact, frozen=True):
    """An amount of a limit held by an authorisation or a refund under way."""

    path: str
    amount_minor: int
    order_number: str
    release_by_ms: int


class OpenLoan(Fact, frozen=True):
    """A loan that could be settled early, or the part of it that was drawn from one limit (one row per limit).

    The rows stand in the order in which a repayment for a limit takes them.
    """

    loan_id: str
    outstanding_minor: int
    """Principal that comes back to the limit."""
    settle_minor: int
    """What settling it costs today, fees included."""
    limit_path: str = "asset:loan_principal:general"
    overdue_minor: int = 0
    """Of `settle_minor`, what is overdue, late fees included."""
    overdue_principal_minor: int = 0
    """Of `outstanding_minor`, what comes back to the limit when the overdue part is paid."""
    is_instalment: bool = False
    """Counts against the sub-limit for instalments."""


class CreditFacts(Fact, frozen=True):
    """The consumer's credit line."""

    state: str = "not_opened"
    """not_opened | pending | rejected | not_activated | active | frozen | self_locked | dormant_locked | pin_locked |
    closed_by_user | closed_by_lender"""
    expected_by_ms: int | None = None
    """When a pending application is answered, by the service promise."""
    principal_reasons: tuple[str, ...] = ()
    """CR_* codes of the last refusal, most important first, at most four."""
    reapply_from_on: date | None = None
    """The cooling-off's end after a refusal, or after closing."""
    locked_until_ms: int | None = None
    frozen_until_ms: int | None = None
    agreement_signed: str | None = None
    agreement_required: str = ""
    consent_given: bool = True
    opened_on_other_account: bool = False
    limits: tuple[LimitFacts, ...] = ()
    holds: tuple[HoldFacts, ...] = ()
    reduced_from_minor: int | None = None
    """The fixed limit before the lender last cut it, when that was within the notice period."""
    instalment_ceiling_minor: int | None = None
    """Sub-limit for instalments (None: the whole limit)."""
    instalment_used_minor: int = 0
    loans: tuple[OpenLoan, ...] = ()
    loans_cap: int = 0
    """How many loans may be open at once (0: any number)."""
    overdue_minor: int = 0
    overdue_days: int = 0
    observed_until_on: date | None = None
    """After an overdue debt was cleared: until when the line stays under observation."""
    observed_if_cleared_until_on: date | None = None
    """What `observed_until_on` becomes once the debt that is overdue now is paid."""
    overdue_with_others: bool = False
    dispute_case: str | None = None
    in_collections: bool = False
    hardship_until_on: date | None = None
    virtual_suspended: bool = False
    age_min: int = 18
    age_max: int | None = None
    regions: tuple[str, ...] = ("CN",)
    """Where the line is offered."""
    clean_months: int = 0
    """Whole months up to now without a day overdue, since the first loan."""


class MoneyAccountFacts(Fact, frozen=True):
    """The money account (小金库)."""

    is_open: bool = True
    balance_minor: int = 0
    held_minor: int = 0
    pay_switch_on: bool = True
    state: str = "active"
    version: int = 0


class GoodsRule(Fact, frozen=True):
    """What policy says of (scene, category, seller kind, method): the row that matched, or none at all."""

    scene: str
    category: str
    seller_kind: str
    method: str
    matched: bool = True
    """False: no policy row covers the case (POLICY_MISSING)."""
    verdict: str = "allow"
    """allow | category_excluded | seller_type_excluded"""
    rule_id: str = ""
    min_minor: int = 0
    max_minor: int | None = None
    """Per order, of the goods that fall under this rule."""
    terms: tuple[int, ...] | None = None
    """Counts of instalments (above 1) offered for these goods; None: all of the method's plans. Paying at once, or
    later in one sum, is always offered."""
    excluded: tuple[str, ...] = ()
    """Of cross_border, subscription, enterprise, presale_deposit, gift, trade_in: the kinds of order ruled out."""
    merchant_id: str = ""
    """Of a rule for one seller only, which goes before that for sellers of its kind; empty: for all of them."""


class PlanFacts(Fact, frozen=True):
    """A way to repay that the method offers: one of the operator's plans."""

    plan: str
    """full | pay_later | instalment_3 …"""
    method: str
    instalments: int
    fee_rate_ppm: int = 0
    """Flat fee per period on the principal, in millionths."""
    annual_cost_ppm: int = 0
    """Annualised all-in cost by IRR on the unrounded plan, in millionths."""
    min_minor: int = 0
    max_minor: int | None = None
    fee_total_ppm: int = 0
    """Of the channel's own instalments: the fee that it takes from the buyer over the whole plan, in millionths."""
    interest_free_by: str | None = None
    """None | merchant | platform: who pays the fee instead of the buyer."""
    interest_free_budget_minor: int | None = None
    """What is left of the budget that pays it (None: no budget)."""
    interest_free_uses_left: int | None = None
    interest_free_until_ms: int | None = None


class CouponFacts(Fact, frozen=True):
    """A discount already applied to the order."""

    coupon_id: str
    amount_minor: int
    methods: tuple[str, ...] = ()
    """Methods that it is bound to; empty: any."""
    combines_with_credit: bool = True
    combines_with_interest_free: bool = True
    shares: tuple[tuple[str, int], ...] = ()
    """(line id, the part of `amount_minor` taken off it); empty: in proportion to the lines' amounts."""


class FindingFacts(Fact, frozen=True):
    """A finding of the transaction's risk table, with what lifts it."""

    code: str
    cure: str = "none"
    """none | step_up | id_check | wait | review"""
    rule_id: str = ""
    until_ms: int | None = None
    """Of one that time lifts: the first instant at which it stands no more."""
    methods: tuple[str, ...] = ()
    """The methods that it bears on; empty: all."""
    lifted_until_ms: int = 0
    """Until when what lifts it counts, once done: the check that was passed, or the review that cleared it."""


class RiskFacts(Fact, frozen=True):
    """The risk decision's outcome: codes of group E that hold, decided elsewhere."""

    codes: tuple[str, ...] = ()
    until_ms: int | None = None
    """When the codes that time cures lapse."""
    methods: tuple[str, ...] = ()
    """The methods it bears on; empty: all."""
    signals: tuple[tuple[str, int | str | bool | tuple[str, ...] | None], ...] = ()
    """What the risk table was asked, by the names of its inputs, so that another version of it can be asked again."""
    findings: tuple[FindingFacts, ...] = ()


class Facts(Fact, frozen=True):
    """All of it."""

    now_ms: int
    today_on: date
    policy_version: str
    apr_cap_ppm: int
    order: OrderFacts
    lines: tuple[LineFacts, ...]
    sellers: tuple[SellerFacts, ...]
    """Of the lines and of their alternatives."""
    consumer: ConsumerFacts
    methods: tuple[MethodFacts, ...]
    plans: tuple[PlanFacts, ...]
    rules: tuple[GoodsRule, ...]
    """For each (scene the order is or could be in, category and seller kind of a line or alternative, method), and
    beside it for a single seller where policy says something else of it."""
    credit: CreditFacts = CreditFacts()
    money: MoneyAccountFacts = MoneyAccountFacts()
    coupons: tuple[CouponFacts, ...] = ()
    risk: RiskFacts = RiskFacts()
    client: str = "web"
    versions: Versions = Versions()
    evaluator_version: int = EVALUATOR_VERSION
