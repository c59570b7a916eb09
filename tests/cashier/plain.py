"""One plain order that every method could pay, for tests that change one thing and read the answer.

A phone for ¥5,999.00 and a sofa for ¥2,400.00 from the mall's own shop; a credit line of ¥20,000 of which ¥6,000 are
used by two loans; ¥1,000 in the money account.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec.structs import replace

from fenqi.cashier.facts import (
    AlternativeOffer,
    ConsumerFacts,
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
from fenqi.kernel.reason import Value

GENERAL = "asset:loan_principal:general"
TEMPORARY = "asset:loan_principal:temporary"
FURNITURE = "asset:loan_principal:dedicated:furniture"
NOW_MS = 1_790_000_000_000
"""2026-09-21 22:13:20 in Shanghai."""
TODAY = date(2026, 9, 21)
MIDNIGHT_MS = 1_790_006_400_000
MINUTE_MS, DAY_MS = 60_000, 86_400_000
SCENES = ("mall", "instalment_mall")


def plain() -> Facts:
    """The facts; every call gives equal ones."""
    return Facts(
        now_ms=NOW_MS,
        today_on=TODAY,
        policy_version="2026-09",
        apr_cap_ppm=240_000,
        order=OrderFacts(
            order_id="o1",
            scene="mall",
            state="awaiting_payment",
            currency="CNY",
            payable_minor=839_900,
            pay_by_ms=NOW_MS + 30 * MINUTE_MS,
            quoted_minor=839_900,
            also_deliveries=("pick_up",),
        ),
        lines=(
            LineFacts("l1", "phone", "phones", "own", 599_900, ancestors=("digital",)),
            LineFacts("l2", "sofa", "sofas", "own", 240_000, ancestors=("furniture",)),
        ),
        sellers=(
            SellerFacts("own", "self_operated", methods=("credit", "money_account", "alipay")),
            SellerFacts("other", "third_party", methods=("credit", "money_account", "alipay")),
        ),
        consumer=ConsumerFacts(age=30, cards=1),
        methods=(
            MethodFacts("credit", SCENES, SCENES, capabilities=("mixed", "split")),
            MethodFacts("money_account", SCENES, SCENES, capabilities=("mixed", "split")),
            MethodFacts("alipay", SCENES, SCENES, capabilities=("split",)),
        ),
        plans=(
            PlanFacts("pay_later", "credit", 1),
            PlanFacts("instalment_3", "credit", 3, 6_000, 108_000),
            PlanFacts("instalment_12", "credit", 12, 6_000, 130_000),
            PlanFacts("full", "money_account", 1),
            PlanFacts("full", "alipay", 1),
        ),
        rules=tuple(
            GoodsRule(scene, category, kind, method, rule_id=f"{method}-{category}")
            for scene in SCENES
            for category in ("phones", "sofas")
            for kind in ("self_operated", "third_party")
            for method in ("credit", "money_account", "alipay")
        ),
        credit=CreditFacts(
            state="active",
            agreement_signed="2026-01",
            agreement_required="2026-01",
            limits=(LimitFacts(GENERAL, "fixed", 2_000_000, 600_000),),
            loans=(OpenLoan("a", 200_000, 201_200), OpenLoan("b", 400_000, 402_400, is_instalment=True)),
        ),
        money=MoneyAccountFacts(balance_minor=100_000),
    )


def order(**changes: Any) -> Facts:
    """The plain facts with the order changed."""
    return replace(plain(), order=replace(plain().order, **changes))


def credit(**changes: Any) -> Facts:
    """The plain facts with the credit line changed."""
    return replace(plain(), credit=replace(plain().credit, **changes))


def consumer(**changes: Any) -> Facts:
    """The plain facts with the consumer changed."""
    return replace(plain(), consumer=replace(plain().consumer, **changes))


def money(**changes: Any) -> Facts:
    """The plain facts with the money account changed."""
    return replace(plain(), money=replace(plain().money, **changes))


def method(name: str, **changes: Any) -> Facts:
    """The plain facts with one method changed."""
    return replace(plain(), methods=tuple(replace(x, **changes) if x.method == name else x for x in plain().methods))


def line(line_id: str, **changes: Any) -> Facts:
    """The plain facts with one line changed."""
    return replace(plain(), lines=tuple(replace(x, **changes) if x.line_id == line_id else x for x in plain().lines))


def seller(**changes: Any) -> Facts:
    """The plain facts with the order's seller changed; the sofa is to be had elsewhere for ¥10 more."""
    facts = line("l2", alternatives=(AlternativeOffer("sofa", "other", 241_000),))
    return replace(facts, sellers=(replace(facts.sellers[0], **changes), facts.sellers[1]))


def rules(name: str, category: str, base: Facts | None = None, **changes: Any) -> Facts:
    """The facts with the rules of one method and category changed."""
    facts = plain() if base is None else base
    return replace(
        facts,
        rules=tuple(replace(x, **changes) if (x.method, x.category) == (name, category) else x for x in facts.rules),
    )


def plan(code: str, **changes: Any) -> Facts:
    """The plain facts with one of credit's plans changed."""
    return replace(plain(), plans=tuple(replace(x, **changes) if x.plan == code else x for x in plain().plans))


def limits(*given: LimitFacts, **changes: Any) -> Facts:
    """The plain facts with these limits and no loans."""
    return credit(limits=given, loans=(), **changes)


Told = tuple[str, tuple[str, ...], dict[str, Value], dict[str, Value], int | None]
"""Code, the ids of its scope, observed, required, until."""
