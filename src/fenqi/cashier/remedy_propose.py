"""What could cure a reason: for each code a proposer that yields candidate steps, cheap and unproven.

A candidate is one or more actions in order, money brought first where the money account has to pay. Nothing here
promises that it works: the solver carries it out on the facts and runs every gate again.
"""

from __future__ import annotations

from collections.abc import Callable

from fenqi.cashier import remedy_money as money
from fenqi.cashier import remedy_reduce as less
from fenqi.cashier import told as said
from fenqi.cashier.action import (
    Activate,
    BindCard,
    ChangeDelivery,
    GiveConsent,
    PayPartBy,
    RemoveCoupon,
    Reopen,
    Reorder,
    SetPayPassword,
    SignAgreement,
    StepUp,
    SwitchOnPay,
    Unlock,
    UseClient,
    VerifyIdentity,
    Wait,
)
from fenqi.cashier.case import OWN_METHODS
from fenqi.cashier.evaluate import plan_reasons
from fenqi.cashier.gates.goods import rule_name
from fenqi.cashier.gates.risk import standing
from fenqi.cashier.remedy_ask import Ask, Candidate, by_sms, choose_plan, scenes, waiting
from fenqi.cashier.remedy_wait import lapses
from fenqi.kernel.reason import Disclosure, ScopeKind

Proposer = Callable[[Ask], list[Candidate]]


def proposals(ask: Ask) -> list[Candidate]:
    """The candidates for one reason, remembered on the view; none for one that hides behind another."""
    key = (id(ask.reason), ask.plan)
    known = ask.view.proposed.get(key)
    if known is None:
        proposer = told_ways if "told_by" in ask.reason.observed else PROPOSERS.get(ask.reason.code)
        known = proposer(ask) if proposer is not None and ask.reason.depends_on is None else []
        ask.view.proposed[key] = known
    return known


def _integrated(ask: Ask) -> list[Candidate]:
    """Another scene; where only splitting among sellers is lacking, the goods of one seller, of whom most is bought.
    Beside a tender that it can't stand beside, the method has none but an order placed anew."""
    if "covered_by" in ask.reason.observed:
        return [(Reorder(),)]
    found = scenes(ask)
    if ask.reason.required.get("capability") != "split":
        return found
    sellers: dict[str, int] = {}
    for line in ask.facts.lines:
        sellers[line.merchant_id] = sellers.get(line.merchant_id, 0) + line.amount_minor
    for kept in sorted(sellers, key=lambda merchant: (-sellers[merchant], merchant))[:3]:
        found += less.without(ask, {line.line_id for line in ask.facts.lines if line.merchant_id != kept})
    return found


def _faults(ask: Ask) -> list[Candidate]:
    """A line can't be paid in any scene: from another seller, or without all such lines."""
    return [*less.other_sellers(ask), *less.without_faults(ask), *less.without_its_lines(ask), *waiting(ask)]


def _ruled_out(ask: Ask) -> list[Candidate]:
    """A rule of this scene speaks against a line: perhaps not in another scene."""
    return [*_faults(ask), *scenes(ask)]


def _deposit(ask: Ask) -> list[Candidate]:
    """Pay the deposit by another of the buyer's accounts here now, the tail by this one when it falls due."""
    order = ask.facts.order
    if order.tail_from_ms is None or order.tail_minor <= 0 or order.covered_minor:
        return []
    then: Candidate = (Wait(order.tail_from_ms),) if order.tail_from_ms > ask.facts.now_ms else ()
    return [
        (*fund, PayPartBy(terms.method, order.payable_minor), *then)
        for terms in ask.facts.methods
        if terms.method != ask.method and terms.method in OWN_METHODS
        for fund in money.funds_for(ask, terms.method, order.payable_minor)
    ]


def _exposure(ask: Ask) -> list[Candidate]:
    return [*less.by(ask, ask.number("shortfall_minor")), *waiting(ask)]


def _above_max(ask: Ask) -> list[Candidate]:
    excess_minor = ask.number("excess_minor")
    if ask.reason.scope.kind is ScopeKind.CHANNEL:
        return less.by(ask, excess_minor)
    if ask.reason.scope.kind is ScopeKind.PLAN:
        return [*less.by(ask, excess_minor), *choose_plan(ask)]
    most = (ask.reason.observed["rule_id"], ask.reason.required["max_minor"])
    under = tuple(
        line
        for line, _, rule in ask.case.goods
        if rule is not None and most == (rule.rule_id or rule_name(rule), rule.max_minor)
    )
    part_minor = ask.case.amount_minor - ask.number("max_minor")
    return [*less.under_rule(ask, excess_minor, part_minor, under), *scenes(ask)]


def _enterprise(ask: Ask) -> list[Candidate]:
    """Without the goods that a company can't buy by this method, from sellers of whom it can, or where it can."""
    ruled_out = {line.line_id for line, _, rule in ask.case.goods if rule is not None and "enterprise" in rule.excluded}
    others = less.under_other_rules(ask, ruled_out, lambda rule: rule is None or "enterprise" not in rule.excluded)
    return [*others, *less.without(ask, ruled_out), *scenes(ask)]


def _below_min(ask: Ask) -> list[Candidate]:
    """A plan from a smaller amount on; or without the goods whose minimum it is."""
    if ask.reason.scope.kind is ScopeKind.CHANNEL:
        return [*less.new_price(ask), *less.without_coupon(ask, ask.number("shortfall_minor"))]
    if ask.reason.scope.kind is ScopeKind.PLAN:
        return [*less.new_price(ask), *less.without_coupon(ask, ask.number("shortfall_minor")), *choose_plan(ask)]
    amount_minor = ask.case.amount_minor
    strict = {line.line_id for line, _, rule in ask.case.goods if rule is not None and rule.min_minor > amount_minor}
    dearer = less.without_coupon(ask, ask.number("shortfall_minor"))
    return [*less.new_price(ask), *less.without(ask, strict), *dearer, *scenes(ask)]


def _delivery(ask: Ask) -> list[Candidate]:
    excluded = ask.case.terms.deliveries_excluded
    return [(ChangeDelivery(each),) for each in ask.facts.order.also_deliveries if each not in excluded]


def _term(ask: Ask) -> list[Candidate]:
    """Another plan; or without the goods that don't have this one."""
    without = {
        line_id
        for reason in plan_reasons(ask.view, ask.method, ask.plan)
        if reason.code == ask.reason.code
        for line_id in reason.scope.ids
    }
    return [*choose_plan(ask), *less.without(ask, without)]


def _down_payment(ask: Ask) -> list[Candidate]:
    """The part down by another method; more of it, where another reason asks for more."""
    return less.part_by_others(ask, ask.number("shortfall_minor"))


def _term_conflict(ask: Ask) -> list[Candidate]:
    return [*choose_plan(ask), (Reorder(),)]


def _coupon(ask: Ask) -> list[Candidate]:
    coupon = next((each for each in ask.facts.coupons if each.coupon_id in ask.reason.scope.ids), None)
    found: list[Candidate] = [(RemoveCoupon(coupon.coupon_id, coupon.amount_minor),)] if coupon is not None else []
    return found + (choose_plan(ask) if ask.reason.scope.kind is ScopeKind.PLAN else [])


def _trade_in(ask: Ask) -> list[Candidate]:
    if ask.reason.scope.kind is ScopeKind.LINE:
        return _ruled_out(ask)
    return [*choose_plan(ask), *less.without(ask, set(ask.reason.scope.ids))]


def _pin_locked(ask: Ask) -> list[Candidate]:
    return [*by_sms(ask, Unlock("pin_locked")), *waiting(ask)]


def _password_locked(ask: Ask) -> list[Candidate]:
    return [*by_sms(ask, SetPayPassword()), *waiting(ask)]


def _sms(ask: Ask) -> list[Candidate]:
    """A code is not needed any more once the pay password can be used."""
    consumer, now_ms = ask.facts.consumer, ask.facts.now_ms
    found: list[Candidate] = [(SetPayPassword(),)] if consumer.pay_password == "none" else []
    until_ms = consumer.pay_password_locked_until_ms
    if consumer.pay_password == "locked" and until_ms is not None and until_ms > now_ms:
        found.append((Wait(until_ms),))
    return [*found, *waiting(ask)]


def _step_up(ask: Ask) -> list[Candidate]:
    return [(StepUp(),)] if ask.facts.consumer.pay_password == "set" else by_sms(ask, StepUp())


def _cap(ask: Ask) -> list[Candidate]:
    return [*less.by(ask, ask.number("shortfall_minor")), *waiting(ask), *scenes(ask)]


def _limit(ask: Ask) -> list[Candidate]:
    """All that helps a limit: repay, pay part by another method, a smaller order, another plan or scene, waiting for
    holds. The reasons of this family are cured together."""
    if "credit_state" in ask.reason.observed:
        return waiting(ask)
    family = plan_reasons(ask.view, ask.method, ask.plan)
    base = next((each for each in family if each.code in _SHORT), None)
    if base is None:
        return []
    shortfall_minor = base.required["shortfall_minor"]
    assert isinstance(shortfall_minor, int)
    found = [*money.repayments(ask, shortfall_minor), *less.by(ask, shortfall_minor), *choose_plan(ask)]
    if any(each.code == "INSTALLMENT_LIMIT_INSUFFICIENT" for each in family):
        found += money.instalment_settlements(ask, shortfall_minor)
    now_ms = ask.facts.now_ms
    found += [
        (Wait(each.until_ms),)
        for each in family
        if each.code == "LIMIT_HELD_BY_PENDING" and each.until_ms is not None and each.until_ms > now_ms
    ]
    if any(each.code == "LIMIT_SCENE_MISMATCH" for each in family):
        found += scenes(ask)
    return found


def _loans(ask: Ask) -> list[Candidate]:
    """Settle loans; what has to be repaid to the limit anyway may settle enough of them."""
    found = money.fewer_loans(ask)
    for reason in plan_reasons(ask.view, ask.method, ask.plan):
        shortfall_minor = reason.required.get("shortfall_minor")
        if reason.code in _SHORT and isinstance(shortfall_minor, int):
            found = [*found, *money.repayments(ask, shortfall_minor)]
    return found


_SHORT = frozenset({"LIMIT_INSUFFICIENT", "LIMIT_TEMP_NOT_INSTALLABLE"})
"""Reasons that the limits don't hold the amount; one of them at most stands."""


def _instalment_limit(ask: Ask) -> list[Candidate]:
    shortfall_minor = ask.number("shortfall_minor")
    return [*choose_plan(ask), *less.by(ask, shortfall_minor), *money.instalment_settlements(ask, shortfall_minor)]


def _client(ask: Ask) -> list[Candidate]:
    passage = ask.case.terms.channel
    return [(UseClient(client),) for client in passage.clients[:2]] if passage is not None else []


def _contracted(ask: Ask) -> list[Candidate]:
    """Where the passage is contracted: in another scene, or for the goods of its own merchants."""
    passage = ask.case.terms.channel
    if passage is None or not passage.contracted:
        return []
    others = {line.line_id for line in ask.facts.lines if line.merchant_id not in passage.sellers}
    apart = less.without(ask, others) if passage.sellers else []
    return [*apart, *(scenes(ask) if passage.scenes else [])]


def told_ways(ask: Ask) -> list[Candidate]:
    """What helps against what a channel said last: another card, less by this method, waiting until it is over."""
    found = by_sms(ask, BindCard()) if ask.reason.scope.ids else []
    if "excess_minor" in ask.reason.required:
        found += less.by(ask, ask.number("excess_minor"))
    until_ms = said.free_ms(said.against(ask.case)) if ask.reason.scope.ids else ask.reason.until_ms
    return [*found, (Wait(until_ms),)] if until_ms is not None and until_ms > ask.facts.now_ms else found


def _risk(ask: Ask) -> list[Candidate]:
    """What is told by its name may be waited for or confirmed; of what is hidden nothing is proposed: it would show."""
    if ask.reason.meta.disclosure is not Disclosure.EXACT:
        return []
    cures = {each.cure for each in standing(ask.facts, ask.method) if each.code == ask.reason.code}
    found = waiting(ask) if lapses(ask.reason.code) else []
    return [*found, *_step_up(ask)] if cures == {"step_up"} else found


def _document(ask: Ask) -> list[Candidate]:
    return [(VerifyIdentity("id_document"),)]


def _always(*actions: Candidate) -> Proposer:
    return lambda ask: list(actions)


PROPOSERS: dict[str, Proposer] = {
    "METHOD_NOT_IN_SCENE": scenes,
    "METHOD_NOT_INTEGRATED": _integrated,
    "METHOD_SUSPENDED": waiting,
    "EXPOSURE_CAP_REACHED": _exposure,
    "POLICY_MISSING": _ruled_out,
    "SELLER_NOT_ENABLED": _faults,
    "SELLER_TYPE_EXCLUDED": _ruled_out,
    "SELLER_STATUS_ABNORMAL": _faults,
    "SELF_DEALING": _faults,
    "GOODS_CATEGORY_EXCLUDED": _ruled_out,
    "GOODS_VIRTUAL_SCENE_SUSPENDED": _faults,
    "GOODS_GIFT_OR_ADDON": _ruled_out,
    "MIXED_CART_PARTIAL": _ruled_out,
    "PRESALE_DEPOSIT": _deposit,
    "ENTERPRISE_ORDER": _enterprise,
    "CROSS_BORDER": _ruled_out,
    "RECURRING_OR_SUBSCRIPTION": _ruled_out,
    "AMOUNT_BELOW_MIN": _below_min,
    "AMOUNT_ABOVE_MAX": _above_max,
    "DELIVERY_METHOD_EXCLUDED": _delivery,
    "FORBIDDEN_WORD": _faults,
    "PLAN_TERM_NOT_OFFERED": _term,
    "PLAN_TERM_CONFLICT": _term_conflict,
    "DOWN_PAYMENT_REQUIRED": _down_payment,
    "PLAN_APR_CAP": choose_plan,
    "COUPON_EXCLUSIVE": _coupon,
    "COUPON_METHOD_BOUND": _coupon,
    "INTEREST_FREE_QUOTA_USED": choose_plan,
    "BUDGET_EXHAUSTED": choose_plan,
    "TRADE_IN_SUBSIDY_EXCLUSIVE": _trade_in,
    "CREDIT_NOT_ACTIVATED": _always((Activate(),)),
    "CREDIT_COOLING_OFF": waiting,
    "CREDIT_CLOSED_BY_USER": _always((Reopen(),)),
    "CREDIT_SELF_LOCKED": lambda ask: by_sms(ask, Unlock("self_locked")),
    "CREDIT_DORMANT_LOCKED": _always((Unlock("dormant_locked"),)),
    "CREDIT_ACCOUNT_LOCKED_PIN": _pin_locked,
    "CREDIT_AGREEMENT_EXPIRED": lambda ask: [(SignAgreement(ask.facts.credit.agreement_required),)],
    "CREDIT_AUTH_WITHDRAWN": _always((GiveConsent(),)),
    "REALNAME_REQUIRED": _always((VerifyIdentity("real_name"),)),
    "REALNAME_MISMATCH": _always((VerifyIdentity("real_name"),)),
    "ID_DOCUMENT_EXPIRED": _document,
    "PHONE_NOT_REACHABLE": _always((VerifyIdentity("phone"),)),
    "PAY_PASSWORD_NOT_SET": _always((SetPayPassword(),)),
    "PAY_PASSWORD_LOCKED": _password_locked,
    "STEP_UP_REQUIRED": _step_up,
    "SMS_LIMIT": _sms,
    "OVERDUE_CURRENT": money.overdue,
    "OVERDUE_RECENT_HISTORY": waiting,
    "HARDSHIP_PLAN_ACTIVE": waiting,
    "LIMIT_INSUFFICIENT": _limit,
    "LIMIT_SINGLE_TXN_CAP": _cap,
    "LIMIT_DAILY_CAP": _cap,
    "LIMIT_MONTHLY_CAP": _cap,
    "LIMIT_SCENE_MISMATCH": _limit,
    "LIMIT_TEMPORARY_EXPIRED": _limit,
    "LIMIT_TEMP_NOT_INSTALLABLE": _limit,
    "LIMIT_REDUCED": _limit,
    "LIMIT_FROZEN": _limit,
    "LIMIT_HELD_BY_PENDING": _limit,
    "LIMIT_OVERDRAWN": _limit,
    "INSTALLMENT_LIMIT_INSUFFICIENT": _instalment_limit,
    "CONCURRENT_LOANS_CAP": _loans,
    "RISK_VELOCITY": _risk,
    "BALANCE_INSUFFICIENT": lambda ask: [
        *money.top_ups(ask, ask.case.amount_minor),
        *less.by(ask, ask.number("shortfall_minor")),
    ],
    "PAY_SWITCH_OFF": _always((SwitchOnPay(),)),
    "NO_INSTRUMENT": money.instrument,
    **dict.fromkeys(
        (
            "CARD_INSUFFICIENT",
            "CARD_EXPIRED",
            "CARD_INVALID",
            "CARD_LOST_STOLEN",
            "CARD_LIMIT_AMOUNT",
            "CARD_LIMIT_COUNT",
            "CARD_ONLINE_DISABLED",
            "TXN_NOT_PERMITTED",
            "ISSUER_DECLINED",
            "ISSUER_UNAVAILABLE",
        ),
        told_ways,
    ),
    "CHANNEL_NOT_CONTRACTED": _contracted,
    "CHANNEL_MAINTENANCE": waiting,
    "CHANNEL_RATE_LIMITED": waiting,
    "CLIENT_UNSUPPORTED": _client,
    "ORDER_CLOSED": _always((Reorder(),)),
    "ORDER_EXPIRED": _always((Reorder(),)),
    "AMOUNT_CHANGED": less.new_price,
    "PAYMENT_IN_PROGRESS": waiting,
    "DUPLICATE_REVERSING": waiting,
}
"""Code → what could cure it; a code that is missing here can't be cured by any action."""
