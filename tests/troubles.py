"""Troubles for random facts: small changes, each of which makes some method unusable, at least for some orders.

They are named by the reason that they bring about; one may need another to show.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from msgspec.structs import replace

from fenqi.cashier.facts import (
    CapFacts,
    ChannelFacts,
    CouponFacts,
    ExposureFacts,
    Facts,
    FindingFacts,
    GoodsRule,
    HoldFacts,
    LimitFacts,
    LineFacts,
    MethodFacts,
    OpenLoan,
    PlanFacts,
    ToldFacts,
)
from fenqi.cashier.told import SPANS, told_of

HOUR_MS = 3_600_000
GENERAL = "asset:loan_principal:general"
TEMPORARY = "asset:loan_principal:temporary"

Trouble = Callable[[Random, Facts], Facts]
OWN = ("credit", "money_account")
GROUP_G = (
    "CR_APPLICATION_INCOMPLETE",
    "CR_INCOME_LOW",
    "CR_DEBT_BURDEN",
    "CR_NO_FILE",
    "CR_THIN_FILE",
    "CR_BUREAU_DELINQUENT",
    "CR_OWN_DELINQUENT",
    "CR_TOO_MANY_INQUIRIES",
    "CR_UNVERIFIED_INCOME",
    "CR_UNVERIFIED_EMPLOYMENT",
    "CR_UNVERIFIED_RESIDENCE",
    "CR_UNVERIFIED_IDENTITY",
    "CR_MULTI_LENDER",
    "CR_RECENT_CREDIT",
    "CR_HIGH_UTILISATION",
)
GROUP_E = (
    "RISK_TXN_BLOCKED",
    "RISK_DEVICE_NEW",
    "RISK_DEVICE_ROOTED",
    "RISK_NETWORK",
    "RISK_ADDRESS_ANOMALY",
    "RISK_CASHOUT_SUSPECT",
    "RISK_PROFILE_CHURN",
    "RISK_ACCOUNT_TAKEOVER",
    "RISK_MERCHANT_FLAGGED",
    "RISK_ABUSE_RETURNS",
    "RISK_VELOCITY",
    "RISK_MANUAL_REVIEW",
    "SANCTION_OR_FRAUD_LIST",
)


def _later(rng: Random, facts: Facts) -> int:
    return facts.now_ms + rng.choice((HOUR_MS // 6, HOUR_MS, 30 * HOUR_MS))


def _maybe_later(rng: Random, facts: Facts) -> int | None:
    return _later(rng, facts) if rng.random() < 0.7 else None


def _order(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, order=replace(facts.order, **changes))


def _consumer(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, consumer=replace(facts.consumer, **changes))


def _credit(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, credit=replace(facts.credit, **changes))


def _money(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, money=replace(facts.money, **changes))


def _method(rng: Random, facts: Facts, change: Callable[[MethodFacts], MethodFacts], own: bool = True) -> Facts:
    names = [each.method for each in facts.methods if (each.method in OWN) == own or rng.random() < 0.3]
    chosen = rng.choice(names or [facts.methods[0].method])
    return replace(facts, methods=tuple(change(each) if each.method == chosen else each for each in facts.methods))


def _line(rng: Random, facts: Facts, change: Callable[[LineFacts], LineFacts]) -> Facts:
    place = rng.randrange(len(facts.lines))
    return replace(facts, lines=tuple(change(x) if i == place else x for i, x in enumerate(facts.lines)))


def _seller(rng: Random, facts: Facts, **changes: Any) -> Facts:
    chosen = rng.choice(facts.lines).merchant_id
    return replace(facts, sellers=tuple(replace(x, **changes) if x.merchant_id == chosen else x for x in facts.sellers))


def _rules(rng: Random, facts: Facts, change: Callable[[GoodsRule], GoodsRule], methods: tuple[str, ...] = ()) -> Facts:
    """Change the rules of one category of the order, for one method, perhaps for one kind of seller only."""
    category = rng.choice(facts.lines).category
    method = rng.choice(methods or ("credit", "credit", "money_account", facts.methods[-1].method))
    kind = rng.choice((None, None, "third_party", "self_operated"))
    scene = rng.choice((None, facts.order.scene))

    def hit(rule: GoodsRule) -> bool:
        return (
            rule.category == category
            and rule.method == method
            and kind in (None, rule.seller_kind)
            and scene in (None, rule.scene)
        )

    return replace(facts, rules=tuple(change(rule) if hit(rule) else rule for rule in facts.rules))


def _excluded(*kinds: str) -> Callable[[GoodsRule], GoodsRule]:
    return lambda rule: replace(rule, excluded=(*rule.excluded, *kinds))


def _limit(facts: Facts, path: str, **changes: Any) -> Facts:
    limits = tuple(replace(x, **changes) if x.path == path else x for x in facts.credit.limits)
    return _credit(facts, limits=limits)


def _general(facts: Facts) -> LimitFacts:
    return next(limit for limit in facts.credit.limits if limit.path == GENERAL)


def _plan(rng: Random, facts: Facts, change: Callable[[PlanFacts], PlanFacts]) -> Facts:
    place = rng.randrange(len(facts.plans))
    share = rng.random() < 0.5
    return replace(
        facts,
        plans=tuple(
            change(x) if i == place or (share and x.method == "credit" and x.instalments >= 6) else x
            for i, x in enumerate(facts.plans)
        ),
    )


def _coupon(rng: Random, facts: Facts, **changes: Any) -> Facts:
    minor = rng.randrange(500, 3_000)
    return replace(facts, coupons=(*facts.coupons, CouponFacts(f"c{len(facts.coupons) + 7}", minor, **changes)))


def _loan_count(rng: Random, facts: Facts) -> Facts:
    return _credit(facts, loans_cap=max(1, len({loan.loan_id for loan in facts.credit.loans}) - rng.randrange(0, 2)))


def _limit_short(rng: Random, facts: Facts) -> Facts:
    general = _general(facts)
    ceiling_minor = general.used_minor + general.held_minor + rng.randrange(0, max(1, facts.order.payable_minor))
    return _limit(facts, GENERAL, ceiling_minor=ceiling_minor)


def _scene_cap(rng: Random, facts: Facts, window: str) -> Facts:
    cap_minor = rng.randrange(1, facts.order.payable_minor + 1)
    scene = rng.choice((None, facts.order.scene))
    used_minor = rng.randrange(0, cap_minor)
    resets_ms = facts.now_ms + (20 * HOUR_MS if window == "day" else 400 * HOUR_MS)
    cap = CapFacts(window, max(cap_minor, used_minor), used_minor if window != "single" else 0, resets_ms, scene)
    return _method(rng, facts, lambda x: replace(x, caps=(*x.caps, cap)))


def _hold(rng: Random, facts: Facts) -> Facts:
    general = _general(facts)
    held_minor = rng.randrange(1, facts.order.payable_minor + 1)
    holds = (
        HoldFacts(GENERAL, held_minor // 2 + 1, "A1", facts.now_ms + HOUR_MS),
        HoldFacts(GENERAL, held_minor - held_minor // 2, "A2", facts.now_ms + 50 * HOUR_MS),
    )
    held_minor = sum(hold.amount_minor for hold in holds)
    short = _limit(
        facts,
        GENERAL,
        held_minor=held_minor,
        ceiling_minor=general.used_minor + facts.order.payable_minor + rng.randrange(0, held_minor),
    )
    return _credit(short, holds=holds)


def _overdue(rng: Random, facts: Facts) -> Facts:
    """The first loan has an overdue part; without a loan there is one for it."""
    loans = facts.credit.loans
    if not loans:
        used = OpenLoan("loan9", 50_000, 50_500)
        facts = _limit(facts, GENERAL, used_minor=50_000, ceiling_minor=_general(facts).ceiling_minor + 50_000)
        loans = (used,)
    first = loans[0]
    principal_minor = rng.choice((first.outstanding_minor // 3, first.outstanding_minor))
    overdue_minor = principal_minor + (first.settle_minor - first.outstanding_minor) + rng.randrange(1, 900)
    late = replace(
        first,
        settle_minor=first.outstanding_minor - principal_minor + overdue_minor,
        overdue_minor=overdue_minor,
        overdue_principal_minor=principal_minor,
    )
    until_on = facts.today_on + timedelta(days=rng.choice((1, 30))) if rng.random() < 0.4 else None
    return _credit(
        facts,
        loans=(late, *loans[1:]),
        overdue_minor=overdue_minor,
        overdue_days=rng.randrange(1, 90),
        observed_if_cleared_until_on=until_on,
    )


def _presale(rng: Random, facts: Facts) -> Facts:
    changed = _rules(rng, facts, _excluded("presale_deposit"), ("credit",))
    return _order(
        changed,
        presale_stage="deposit",
        tail_from_ms=_later(rng, facts),
        tail_minor=facts.order.payable_minor,
        tail_pay_by_ms=facts.now_ms + 90 * HOUR_MS,
    )


def _price(rng: Random, facts: Facts) -> Facts:
    line = facts.lines[0]
    delta_minor = rng.choice((-100, 3, 9_900))
    if line.amount_minor + delta_minor <= 0:
        return facts
    said = rng.random() < 0.5
    if said:
        moved = replace(line, quoted_minor=line.amount_minor + delta_minor)
        facts = replace(facts, lines=(moved, *facts.lines[1:]))
    return _order(facts, quoted_minor=facts.order.quoted_minor + delta_minor)


def _free(rng: Random, facts: Facts, **changes: Any) -> Facts:
    by = rng.choice(("merchant", "platform"))
    return _plan(rng, facts, lambda x: replace(x, interest_free_by=by, **changes))


def _trade_in(rng: Random, facts: Facts) -> Facts:
    marked = _line(rng, facts, lambda x: replace(x, is_trade_in_subsidised=True))
    return _free(rng, marked) if rng.random() < 0.5 else _rules(rng, marked, _excluded("trade_in"))


def _short_temporary(rng: Random, facts: Facts, installable: bool, days: int) -> Facts:
    """A temporary limit makes up what the fixed one lacks."""
    lack_minor = rng.randrange(1, facts.order.payable_minor)
    general = _general(facts)
    ceiling_minor = general.used_minor + facts.order.payable_minor - lack_minor
    short = _limit(facts, GENERAL, ceiling_minor=ceiling_minor)
    temporary = LimitFacts(
        TEMPORARY,
        "temporary",
        lack_minor + rng.randrange(0, 5_000),
        expires_on=facts.today_on + timedelta(days=days),
        installable=installable,
    )
    limits = tuple(x for x in short.credit.limits if x.path != TEMPORARY)
    return _credit(short, limits=(*limits, temporary))


def _elsewhere(rng: Random, facts: Facts) -> Facts:
    short = _limit_short(rng, facts)
    other = LimitFacts(
        "asset:loan_principal:dedicated:education",
        "dedicated",
        facts.order.payable_minor,
        scenes=("partner_store",),
        categories=rng.choice((("education",), ("furniture", "digital"))),
    )
    return _credit(short, limits=(*(x for x in short.credit.limits if x.path != other.path), other))


def _account(state: str) -> Trouble:
    def trouble(rng: Random, facts: Facts) -> Facts:
        changes: dict[str, Any] = {"state": state}
        if state in ("rejected", "closed_by_lender"):
            changes["principal_reasons"] = tuple(rng.sample(GROUP_G, rng.randrange(1, 5)))
        if state in ("rejected", "closed_by_user", "closed_by_lender") and rng.random() < 0.5:
            changes["reapply_from_on"] = facts.today_on + timedelta(days=rng.choice((0, 1, 30)))
        if state == "pending":
            changes["expected_by_ms"] = _later(rng, facts)
        if state == "pin_locked":
            changes["locked_until_ms"] = _maybe_later(rng, facts)
        if state == "frozen":
            changes["frozen_until_ms"] = _maybe_later(rng, facts)
        if state in ("not_opened", "pending", "rejected") or (state == "not_activated" and rng.random() < 0.3):
            changes |= {"limits": (), "loans": (), "holds": (), "overdue_minor": 0, "reduced_from_minor": None}
            changes["agreement_signed"] = None
        return _credit(facts, **changes)

    return trouble


def _risk(rng: Random, facts: Facts) -> Facts:
    codes = tuple(rng.sample(GROUP_E, rng.choice((1, 1, 2))))
    methods = rng.choice(((), ("credit",)))
    return replace(facts, risk=replace(facts.risk, codes=codes, until_ms=_maybe_later(rng, facts), methods=methods))


def random_finding(rng: Random, facts: Facts, code: str) -> FindingFacts:
    """A finding of the transaction table: with any cure, done or not."""
    cure = rng.choice(("none", "step_up", "id_check", "wait", "review"))
    until_ms = facts.now_ms + rng.choice((-HOUR_MS, 0, 1, HOUR_MS, 30 * HOUR_MS)) if cure == "wait" else None
    lifted_ms = facts.now_ms + rng.choice((-HOUR_MS, 0, 1, HOUR_MS)) if rng.random() < 0.25 and cure != "none" else 0
    return FindingFacts(code, cure, f"row-{rng.randrange(9)}", until_ms, rng.choice(((), ("credit",))), lifted_ms)


def _findings(rng: Random, facts: Facts) -> Facts:
    codes = rng.choices(GROUP_E, k=rng.choice((1, 1, 2, 3)))
    found = tuple(random_finding(rng, facts, code) for code in codes)
    return replace(facts, risk=replace(facts.risk, findings=found))


def _channel(rng: Random, facts: Facts, **changes: Any) -> Facts:
    def change(x: MethodFacts) -> MethodFacts:
        return replace(x, channel=replace(x.channel or ChannelFacts(x.method), **changes))

    return _method(rng, facts, change, own=rng.random() < 0.4)


OUTSIDE = ("bank_card", "alipay", "wechat_pay", "huawei_pay")


def _told(code: str) -> Trouble:
    """A channel said this lately: of the wallet, or of one card or all of them, of some perhaps another code."""

    def trouble(rng: Random, facts: Facts) -> Facts:
        methods = [each.method for each in facts.methods if each.method in OUTSIDE]
        method = rng.choice((*methods, "bank_card"))
        cards = facts.consumer.cards if method == "bank_card" and rng.random() < 0.8 else 0
        of_each = rng.sample(range(cards), rng.choice((cards, cards, max(1, cards - 1)))) if cards else [-1]
        told = [_said(rng, facts, rng.choice((code, code, *SPANS)), place) for place in of_each]
        return replace(
            facts,
            methods=tuple(
                replace(x, told=(*x.told, *(each for each in told if each is not None))) if x.method == method else x
                for x in facts.methods
            ),
        )

    return trouble


def _said(rng: Random, facts: Facts, code: str, place: int) -> ToldFacts | None:
    refused_minor = rng.choice((1, facts.order.payable_minor // 3, facts.order.payable_minor)) + rng.choice((0, 1))
    at_ms = facts.now_ms - rng.choice((0, HOUR_MS // 12, HOUR_MS // 2, 20 * HOUR_MS))
    return told_of(code, at_ms, refused_minor, f"card{place}" if place >= 0 else "")


def _elsewhere_at_the_channel(rng: Random, facts: Facts) -> Facts:
    """The passage is for another scene, or for one merchant only."""
    if rng.random() < 0.5:
        return _channel(rng, facts, scenes=rng.choice((("scan_to_pay",), ("mall", "partner_store"))))
    return _channel(rng, facts, sellers=(rng.choice(facts.lines).merchant_id,))


def _password(rng: Random, facts: Facts) -> Facts:
    changed = _consumer(facts, pay_password="locked", pay_password_locked_until_ms=_maybe_later(rng, facts))
    return _sms(rng, changed) if rng.random() < 0.3 else changed


def _sms(rng: Random, facts: Facts) -> Facts:
    return _step_up(rng, _consumer(facts, sms_blocked_until_ms=_later(rng, facts)))


def _step_up(rng: Random, facts: Facts) -> Facts:
    checked = _consumer(facts, stepped_up_until_ms=facts.now_ms + rng.choice((-HOUR_MS, 0, 0, 1)))
    return replace(
        checked,
        methods=tuple(replace(x, step_up_from_minor=rng.choice((0, 50_000))) for x in facts.methods),
    )


def _covered(rng: Random, facts: Facts) -> Facts:
    by = rng.choice(("", "money_account", "alipay"))
    return _order(facts, covered_minor=rng.randrange(1, facts.order.payable_minor), covered_by=by)


def _small_balance(rng: Random, facts: Facts) -> Facts:
    balance_minor = rng.choice((0, rng.randrange(0, facts.order.payable_minor)))
    return _money(facts, balance_minor=balance_minor, held_minor=rng.choice((0, balance_minor // 4)))


TROUBLES: dict[str, Trouble] = {
    "METHOD_NOT_IN_SCENE": lambda r, f: _method(
        r, f, lambda x: replace(x, offered_in=tuple(s for s in x.offered_in if s != f.order.scene))
    ),
    "METHOD_NOT_INTEGRATED": lambda r, f: _method(
        r, f, lambda x: replace(x, integrated_in=tuple(s for s in x.integrated_in if s != f.order.scene))
    ),
    "METHOD_LACKS_CAPABILITY": lambda r, f: _method(
        r, f, lambda x: replace(x, capabilities=tuple(c for c in x.capabilities if c != "split"))
    ),
    "METHOD_SUSPENDED": lambda r, f: _method(
        r, f, lambda x: replace(x, suspended=True, suspended_until_ms=_maybe_later(r, f))
    ),
    "EXPOSURE_CAP_REACHED": lambda r, f: _method(
        r,
        f,
        lambda x: replace(
            x, exposure=(ExposureFacts("autumn", r.randrange(f.order.payable_minor), _maybe_later(r, f)),)
        ),
    ),
    "POLICY_MISSING": lambda r, f: _rules(r, f, lambda x: replace(x, matched=False)),
    "SELLER_NOT_ENABLED": lambda r, f: _seller(r, f, methods=r.choice(((), ("alipay",), ("money_account",)))),
    "SELLER_TYPE_EXCLUDED": lambda r, f: _rules(r, f, lambda x: replace(x, verdict="seller_type_excluded")),
    "SELLER_STATUS_ABNORMAL": lambda r, f: _seller(
        r, f, status=r.choice(("frozen", "contract_expired", "collection_cap")), status_until_ms=_maybe_later(r, f)
    ),
    "SELF_DEALING": lambda r, f: _seller(r, f, related_to_buyer=True),
    "GOODS_CATEGORY_EXCLUDED": lambda r, f: _rules(r, f, lambda x: replace(x, verdict="category_excluded")),
    "GOODS_VIRTUAL_SCENE_SUSPENDED": lambda r, f: _credit(
        _line(r, f, lambda x: replace(x, is_virtual=True)), virtual_suspended=True
    ),
    "GOODS_GIFT_OR_ADDON": lambda r, f: _rules(r, _line(r, f, lambda x: replace(x, is_gift=True)), _excluded("gift")),
    "PRESALE_DEPOSIT": _presale,
    "CROSS_BORDER": lambda r, f: _rules(
        r, _line(r, f, lambda x: replace(x, is_cross_border=True)), _excluded("cross_border")
    ),
    "RECURRING_OR_SUBSCRIPTION": lambda r, f: _rules(
        r, _line(r, f, lambda x: replace(x, is_subscription=True)), _excluded("subscription")
    ),
    "ENTERPRISE_ORDER": lambda r, f: _rules(r, _order(f, buyer_kind="enterprise"), _excluded("enterprise")),
    "AMOUNT_BELOW_MIN": lambda r, f: _rules(
        r, f, lambda x: replace(x, min_minor=f.order.payable_minor + r.choice((0, 1, 5_000)))
    ),
    "PLAN_BELOW_MIN": lambda r, f: _plan(
        r, f, lambda x: replace(x, min_minor=f.order.payable_minor + r.choice((0, 1)))
    ),
    "AMOUNT_ABOVE_MAX": lambda r, f: _rules(r, f, lambda x: replace(x, max_minor=r.choice((15_000, 90_000, 400_000)))),
    "PLAN_ABOVE_MAX": lambda r, f: _plan(
        r, f, lambda x: replace(x, max_minor=f.order.payable_minor - r.choice((0, 1)))
    ),
    "DELIVERY_METHOD_EXCLUDED": lambda r, f: _method(r, f, lambda x: replace(x, deliveries_excluded=("express",))),
    "CURRENCY_NOT_SUPPORTED": lambda r, f: _method(r, f, lambda x: replace(x, currencies=("USD", "EUR"))),
    "FORBIDDEN_WORD": lambda r, f: _line(r, f, lambda x: replace(x, forbidden_word=True)),
    "PLAN_TERM_NOT_OFFERED": lambda r, f: _rules(
        r, f, lambda x: replace(x, terms=r.choice(((), (3,), (3, 6, 12)))), ("credit",)
    ),
    "DOWN_PAYMENT_REQUIRED": lambda r, f: _method(
        r, f, lambda x: replace(x, down_payment_ppm=r.choice((1, 100_000, 333_333)))
    ),
    "MOST_INSTALMENTS": lambda r, f: _method(r, f, lambda x: replace(x, most_instalments=r.choice((1, 3, 6)))),
    "PLAN_TERM_CONFLICT": lambda r, f: _order(f, prior_plan=r.choice(("instalment_3", "pay_later"))),
    "PLAN_APR_CAP": lambda r, f: _plan(r, f, lambda x: replace(x, annual_cost_ppm=240_000 + r.choice((0, 1, 16_000)))),
    "COUPON_EXCLUSIVE": lambda r, f: _coupon(r, f, combines_with_credit=False),
    "COUPON_NOT_WITH_INTEREST_FREE": lambda r, f: _coupon(r, _free(r, f), combines_with_interest_free=False),
    "COUPON_METHOD_BOUND": lambda r, f: _coupon(r, f, methods=("alipay",)),
    "INTEREST_FREE_QUOTA_USED": lambda r, f: _free(r, f, interest_free_uses_left=r.choice((0, 0, 1))),
    "BUDGET_EXHAUSTED": lambda r, f: _free(r, f, interest_free_budget_minor=r.choice((0, 500, 1 << 40))),
    "INTEREST_FREE_ENDED": lambda r, f: _free(r, f, interest_free_until_ms=f.now_ms + r.choice((0, 1, HOUR_MS))),
    "TRADE_IN_SUBSIDY_EXCLUSIVE": _trade_in,
    "CREDIT_NOT_OPENED": _account("not_opened"),
    "CREDIT_NOT_ACTIVATED": _account("not_activated"),
    "CREDIT_APPLICATION_PENDING": _account("pending"),
    "CREDIT_APPLICATION_REJECTED": _account("rejected"),
    "CREDIT_CLOSED_BY_USER": _account("closed_by_user"),
    "CREDIT_CLOSED_BY_LENDER": _account("closed_by_lender"),
    "CREDIT_SELF_LOCKED": _account("self_locked"),
    "CREDIT_DORMANT_LOCKED": _account("dormant_locked"),
    "CREDIT_ACCOUNT_LOCKED_PIN": _account("pin_locked"),
    "CREDIT_FROZEN": _account("frozen"),
    "CREDIT_AGREEMENT_EXPIRED": lambda r, f: _credit(f, agreement_required="2026-08"),
    "CREDIT_AUTH_WITHDRAWN": lambda r, f: _credit(f, consent_given=False),
    "CREDIT_ON_OTHER_ACCOUNT": lambda r, f: _credit(f, opened_on_other_account=True),
    "AGE_INELIGIBLE": lambda r, f: _credit(_consumer(f, age=r.choice((17, 66))), age_max=r.choice((60, None))),
    "REGION_INELIGIBLE": lambda r, f: _consumer(f, region=r.choice(("HK", "MO", "TW", "other"))),
    "STUDENT_RESTRICTED": lambda r, f: _consumer(f, is_student=True),
    "REALNAME_REQUIRED": lambda r, f: _consumer(f, real_name="none"),
    "REALNAME_MISMATCH": lambda r, f: _consumer(f, real_name="mismatch"),
    "ID_DOCUMENT_EXPIRED": lambda r, f: _consumer(
        f, id_document_until_on=f.today_on - timedelta(days=r.choice((-1, 0, 1, 400)))
    ),
    "PHONE_NOT_REACHABLE": lambda r, f: _consumer(f, phone_reachable=False),
    "PAY_PASSWORD_NOT_SET": lambda r, f: _consumer(f, pay_password="none"),
    "PAY_PASSWORD_LOCKED": _password,
    "STEP_UP_REQUIRED": _step_up,
    "SMS_LIMIT": _sms,
    "PAYER_NOT_ACCOUNT_OWNER": lambda r, f: _consumer(f, is_payer_owner=False),
    "OVERDUE_CURRENT": lambda r, f: _overdue(r, f) if f.credit.limits else f,
    "OVERDUE_RECENT_HISTORY": lambda r, f: _credit(
        f, observed_until_on=f.today_on + timedelta(days=r.choice((-1, 0, 20)))
    ),
    "OVERDUE_WITH_OTHERS": lambda r, f: _credit(f, overdue_with_others=True),
    "REPAYMENT_DISPUTED": lambda r, f: _credit(f, dispute_case="D-17"),
    "COLLECTIONS_OR_LEGAL": lambda r, f: _credit(f, in_collections=True),
    "HARDSHIP_PLAN_ACTIVE": lambda r, f: _credit(
        f, hardship_until_on=f.today_on + timedelta(days=r.choice((-1, 0, 90)))
    ),
    "LIMIT_INSUFFICIENT": lambda r, f: _limit_short(r, f) if f.credit.limits else f,
    "LIMIT_SINGLE_TXN_CAP": lambda r, f: _scene_cap(r, f, "single"),
    "LIMIT_DAILY_CAP": lambda r, f: _scene_cap(r, f, "day"),
    "LIMIT_MONTHLY_CAP": lambda r, f: _scene_cap(r, f, "month"),
    "LIMIT_SCENE_MISMATCH": lambda r, f: _elsewhere(r, f) if f.credit.limits else f,
    "LIMIT_TEMPORARY_EXPIRED": lambda r, f: _short_temporary(r, f, True, -1) if f.credit.limits else f,
    "LIMIT_TEMP_NOT_INSTALLABLE": lambda r, f: _short_temporary(r, f, False, 1) if f.credit.limits else f,
    "LIMIT_REDUCED": lambda r, f: (
        _credit(_limit_short(r, f), reduced_from_minor=_general(f).ceiling_minor) if f.credit.limits else f
    ),
    "LIMIT_FROZEN": lambda r, f: (
        _limit(f, GENERAL, frozen_minor=r.randrange(1, _general(f).ceiling_minor + 2)) if f.credit.limits else f
    ),
    "LIMIT_HELD_BY_PENDING": lambda r, f: _hold(r, f) if f.credit.limits else f,
    "LIMIT_OVERDRAWN": lambda r, f: (
        _limit(f, GENERAL, ceiling_minor=max(0, _general(f).used_minor - 1_000)) if f.credit.limits else f
    ),
    "INSTALLMENT_LIMIT_INSUFFICIENT": lambda r, f: _credit(
        f,
        instalment_ceiling_minor=r.choice((0, f.order.payable_minor, 400_000)),
        instalment_used_minor=sum(loan.outstanding_minor for loan in f.credit.loans if loan.is_instalment),
    ),
    "CONCURRENT_LOANS_CAP": _loan_count,
    "RISK": _risk,
    "RISK_FINDINGS": _findings,
    "BALANCE_INSUFFICIENT": _small_balance,
    "PAY_SWITCH_OFF": lambda r, f: _money(f, pay_switch_on=False),
    "NO_INSTRUMENT": lambda r, f: (
        _money(f, state="frozen") if r.random() < 0.3 else _money(f, is_open=False, balance_minor=0, held_minor=0)
    ),
    "CHANNEL_MAINTENANCE": lambda r, f: _channel(r, f, state="maintenance", until_ms=_maybe_later(r, f)),
    "CHANNEL_DOWN": lambda r, f: _channel(r, f, state="down", until_ms=_maybe_later(r, f)),
    "CHANNEL_TIMEOUT": lambda r, f: _channel(r, f, state="timeout"),
    "CHANNEL_RATE_LIMITED": lambda r, f: _channel(r, f, state="rate_limited", until_ms=_maybe_later(r, f)),
    "CHANNEL_NOT_CONTRACTED": lambda r, f: _channel(r, f, contracted=False),
    "CHANNEL_BANNED": lambda r, f: _channel(r, f, state="down", banned=True, passed_over=("other:down",)),
    "CHANNEL_ELSEWHERE": _elsewhere_at_the_channel,
    "CHANNEL_BELOW_MIN": lambda r, f: _channel(r, f, min_minor=f.order.payable_minor + r.choice((0, 1, 2_000))),
    "CHANNEL_ABOVE_MAX": lambda r, f: _channel(
        r, f, max_minor=r.choice((f.order.payable_minor, f.order.payable_minor // 2 + 1, 1_000))
    ),
    **{f"TOLD_{code}": _told(code) for code in SPANS},
    "CLIENT_UNSUPPORTED": lambda r, f: _channel(r, f, clients=("app", "mini_program")),
    "ORDER_PAID": lambda r, f: _order(f, state="paid"),
    "ORDER_CLOSED": lambda r, f: _line(r, _order(f, state="closed"), lambda x: replace(x, in_stock=r.random() < 0.9)),
    "ORDER_EXPIRED": lambda r, f: _order(f, state="expired", pay_by_ms=f.now_ms - r.choice((0, 1, HOUR_MS))),
    "ORDER_PAST_ITS_TIME": lambda r, f: _order(f, pay_by_ms=f.now_ms - r.choice((-1, 0, 1))),
    "AMOUNT_CHANGED": _price,
    "PAYMENT_IN_PROGRESS": lambda r, f: _order(f, open_attempt="alipay", open_attempt_until_ms=_maybe_later(r, f)),
    "DUPLICATE_REVERSING": lambda r, f: _order(f, duplicate_reversing_until_ms=_later(r, f)),
    "PART_COVERED": _covered,
}
"""Name → trouble."""
