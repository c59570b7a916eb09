"""Random facts for properties: a sound order that every method could pay, and then troubles, one for each reason.

`random_facts(rng)` serves plain loops, `facts()` Hypothesis (which shrinks the same draws). Troubles put only values
that the real gatherers could give, so that laws hold on them without exceptions.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from hypothesis import strategies as st
from msgspec.structs import replace
from tests.troubles import TROUBLES

from fenqi.cashier.case import business_date_of
from fenqi.cashier.facts import (
    AlternativeOffer,
    CapFacts,
    ChannelFacts,
    ConsumerFacts,
    CouponFacts,
    CreditFacts,
    Facts,
    GoodsRule,
    LimitFacts,
    LineFacts,
    MethodFacts,
    MoneyAccountFacts,
    OpenLoan,
    OrderFacts,
    PlanFacts,
    SellerFacts,
)

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
GENERAL = "asset:loan_principal:general"
TEMPORARY = "asset:loan_principal:temporary"
FURNITURE = "asset:loan_principal:dedicated:furniture"

METHODS = ("credit", "money_account", "bank_card", "alipay", "wechat_pay", "huawei_pay")
EIGHT_METHODS = (*METHODS, "union_pay", "digital_yuan")
SCENES = ("mall", "instalment_mall", "partner_store", "scan_to_pay")
CATEGORIES = {
    "phones": "digital",
    "laptops": "digital",
    "sofas": "furniture",
    "lamps": "furniture",
    "gold": "jewellery",
}
KINDS = ("self_operated", "third_party", "external")
TERMS = (3, 6, 12, 24)


def facts() -> st.SearchStrategy[Facts]:
    """Facts for Hypothesis."""
    return st.randoms(use_true_random=False).map(random_facts)


def random_facts(rng: Random, methods: tuple[str, ...] = METHODS, plans_each: bool = False) -> Facts:
    """Sound facts with nought to five troubles. `plans_each`: every method has five plans, not only credit."""
    found = sound_facts(rng, methods, plans_each)
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 2, 3, 4, 5))):
        name = rng.choice(_NAMES)
        found = TROUBLES[name](rng, found)
    return found


_NAMES = sorted(TROUBLES)


def sound_facts(rng: Random, methods: tuple[str, ...] = METHODS, plans_each: bool = False) -> Facts:
    """An order that nothing speaks against."""
    now_ms = NOW_MS + rng.randrange(0, 60 * DAY_MS, 60_000)
    scene = rng.choice(SCENES)
    also = tuple(each for each in SCENES if each != scene and rng.random() < 0.3)
    sellers = tuple(
        SellerFacts(f"m{place}", rng.choice(KINDS), methods=methods, asked_count=rng.randrange(5)) for place in range(4)
    )
    lines = _lines(rng, sellers)
    coupons = _coupons(rng, lines)
    payable_minor = sum(line.amount_minor for line in lines)
    order = OrderFacts(
        order_id="o1",
        scene=scene,
        state="awaiting_payment",
        currency="CNY",
        payable_minor=payable_minor,
        pay_by_ms=now_ms + 1_800_000,
        quoted_minor=payable_minor,
        needs=("split",) if len({line.merchant_id for line in lines}) > 1 else (),
        also_in_scenes=also,
        also_deliveries=("pick_up",),
    )
    return Facts(
        now_ms=now_ms,
        today_on=business_date_of(now_ms),
        policy_version="2026-09",
        apr_cap_ppm=240_000,
        order=order,
        lines=lines,
        sellers=sellers,
        consumer=ConsumerFacts(age=rng.randrange(18, 70), cards=rng.choice((0, 1, 2))),
        methods=tuple(_method(rng, method, payable_minor, now_ms) for method in methods),
        plans=_plans(methods, plans_each),
        rules=_rules(scene, also, methods),
        credit=_credit(rng, payable_minor, business_date_of(now_ms)),
        money=MoneyAccountFacts(balance_minor=payable_minor + rng.randrange(0, 500_000)),
        coupons=coupons,
    )


def _lines(rng: Random, sellers: tuple[SellerFacts, ...]) -> tuple[LineFacts, ...]:
    lines = []
    for place in range(rng.choice((1, 1, 2, 2, 3, 4))):
        category = rng.choice(sorted(CATEGORIES))
        amount_minor = rng.choice((20_000, 99_900, 299_900, 599_900)) + rng.randrange(0, 1000)
        seller = sellers[rng.choice((0, 0, 0, 1, 2))]
        lines.append(
            LineFacts(
                line_id=f"l{place}",
                sku_id=f"s{place}",
                category=category,
                ancestors=(CATEGORIES[category],),
                merchant_id=seller.merchant_id,
                amount_minor=amount_minor,
                quantity=rng.choice((1, 1, 2)),
                alternatives=_alternatives(rng, place, amount_minor, seller.merchant_id),
            )
        )
    return tuple(lines)


def _alternatives(rng: Random, place: int, amount_minor: int, than: str) -> tuple[AlternativeOffer, ...]:
    return tuple(
        AlternativeOffer(f"s{place}", merchant, amount_minor + rng.choice((-5_000, 0, 100, 7_000)))
        for merchant in ("m1", "m2", "m3")
        if merchant != than and rng.random() < 0.25
    )


def _coupons(rng: Random, lines: tuple[LineFacts, ...]) -> tuple[CouponFacts, ...]:
    if rng.random() < 0.7:
        return ()
    shares = tuple((line.line_id, rng.randrange(100, 2_000)) for line in lines)
    return (CouponFacts("c1", sum(part for _, part in shares), shares=shares if rng.random() < 0.5 else ()),)


def _method(rng: Random, method: str, payable_minor: int, now_ms: int) -> MethodFacts:
    passage = None
    if method not in ("credit", "money_account"):
        passage = ChannelFacts(
            f"{method}_main",
            clients=("web", "app") if rng.random() < 0.3 else (),
            passed_over=(f"{method}_first:banned",) if rng.random() < 0.2 else (),
            min_minor=1,
            max_minor=10_000_000_000,
        )
    is_mixed = method in ("credit", "money_account") or rng.random() < 0.7
    return MethodFacts(
        method,
        SCENES,
        SCENES,
        capabilities=("split", "partial_refund", *(("mixed",) if is_mixed else ())),
        channel=passage,
        caps=(
            CapFacts("day", payable_minor + rng.randrange(0, 900_000), 0, now_ms + DAY_MS // 3),
            CapFacts(
                "month", payable_minor + 2_000_000, rng.randrange(0, 2_000_000), now_ms + 9 * DAY_MS, "scan_to_pay"
            ),
        ),
        single_cap_minor=payable_minor + rng.randrange(0, 900_000) if rng.random() < 0.3 else None,
    )


def _plans(methods: tuple[str, ...], plans_each: bool) -> tuple[PlanFacts, ...]:
    plans: list[PlanFacts] = []
    for method in methods:
        if method == "credit" or plans_each:
            plans.append(PlanFacts("pay_later", method, 1))
            plans += [
                PlanFacts(f"instalment_{n}", method, n, 6_000, 110_000 + 1_000 * n, min_minor=10_000) for n in TERMS
            ]
        else:
            plans.append(PlanFacts("full", method, 1))
        if method == "alipay" and not plans_each:
            plans.append(PlanFacts("hb_3", method, 3, 0, 138_000, min_minor=10_000, fee_total_ppm=23_000))
    return tuple(plans)


def _rules(scene: str, also: tuple[str, ...], methods: tuple[str, ...]) -> tuple[GoodsRule, ...]:
    return tuple(
        GoodsRule(place, category, kind, method, rule_id=f"{method}/{category}", max_minor=20_000_000)
        for place in (scene, *also)
        for category in sorted(CATEGORIES)
        for kind in KINDS
        for method in methods
    )


def _credit(rng: Random, payable_minor: int, today_on: date) -> CreditFacts:
    loans = tuple(_loan(rng, place) for place in range(rng.choice((0, 1, 1, 2, 3))))
    used_minor = sum(loan.outstanding_minor for loan in loans)
    limits = [LimitFacts(GENERAL, "fixed", payable_minor + used_minor + rng.randrange(0, 900_000), used_minor)]
    if rng.random() < 0.3:
        until_on = today_on + timedelta(days=rng.choice((0, 2, 30)))
        limits.append(LimitFacts(TEMPORARY, "temporary", 200_000, expires_on=until_on, installable=rng.random() < 0.5))
    if rng.random() < 0.3:
        limits.append(LimitFacts(FURNITURE, "dedicated", 300_000, categories=("furniture",)))
    return CreditFacts(
        state="active",
        agreement_signed="2026-01",
        agreement_required="2026-01",
        limits=tuple(limits),
        loans=loans,
    )


def _loan(rng: Random, place: int) -> OpenLoan:
    outstanding_minor = rng.choice((10_000, 80_000, 400_000)) + rng.randrange(1_000)
    fees_minor = rng.choice((0, 0, outstanding_minor // 150))
    return OpenLoan(
        f"loan{place}", outstanding_minor, outstanding_minor + fees_minor, GENERAL, is_instalment=rng.random() < 0.5
    )


def with_methods(found: Facts, *methods: MethodFacts) -> Facts:
    """The facts with these methods in place of those of the same name."""
    changed = {each.method: each for each in methods}
    return replace(found, methods=tuple(changed.get(each.method, each) for each in found.methods))
