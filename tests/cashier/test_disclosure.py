"""Who is told what: the buyer's twins, the merchant's view, support's and the risk desk's."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.cashier.plain import GENERAL, NOW_MS, consumer, credit, line, method, plain, plan, rules

from fenqi.cashier import evaluate, for_audience, offer_for, offer_of
from fenqi.cashier.action import Repay, Route
from fenqi.cashier.disclosure import public_code
from fenqi.cashier.facts import ExposureFacts, Facts, LimitFacts, RiskFacts
from fenqi.kernel.reason import CODES, Disclosure, Reason, Scope, ScopeKind
from fenqi.texts.model import Audience

DAY_MS, MINUTE_MS = 86_400_000, 60_000
STEP_UP, OTHER = Route("step_up", MINUTE_MS), Route("other_method", MINUTE_MS)
ID_CHECK = Route("id_check", 2 * MINUTE_MS)
APPEAL, REVIEW = Route("appeal", 3 * DAY_MS), Route("human_review", 2 * DAY_MS)
SUPPORT = Route("contact_support", DAY_MS)


def twin(code: str) -> Reason:
    return Reason(code, "credit", Scope(ScopeKind.METHOD))


def risky(*codes: str) -> Facts:
    return replace(plain(), risk=RiskFacts(codes, NOW_MS + MINUTE_MS))


HIDDEN: list[tuple[Facts, bool, Reason, tuple[Route, ...]]] = [
    (risky("RISK_TXN_BLOCKED"), True, twin("RISK_REVIEW"), (STEP_UP, ID_CHECK, OTHER, APPEAL)),
    (
        risky("RISK_DEVICE_NEW", "SANCTION_OR_FRAUD_LIST"),
        False,
        twin("RISK_REVIEW"),
        (STEP_UP, ID_CHECK, OTHER, APPEAL),
    ),
    (
        method("credit", exposure=(ExposureFacts("autumn", 5, NOW_MS + MINUTE_MS),)),
        True,
        twin("METHOD_UNAVAILABLE_NOW"),
        (OTHER, SUPPORT),
    ),
    (line("l1", forbidden_word=True), True, twin("METHOD_UNAVAILABLE_NOW"), (OTHER, SUPPORT)),
    (rules("credit", "phones", matched=False), True, twin("METHOD_UNAVAILABLE_NOW"), (OTHER, SUPPORT)),
    (credit(in_collections=True), False, twin("CREDIT_UNDER_ASSESSMENT"), (STEP_UP, REVIEW)),
    (credit(overdue_with_others=True), False, twin("CREDIT_UNDER_ASSESSMENT"), (STEP_UP, REVIEW)),
    (consumer(real_name="mismatch"), False, twin("IDENTITY_CHECK_NEEDED"), (STEP_UP, SUPPORT)),
    (consumer(is_payer_owner=False), False, twin("IDENTITY_CHECK_NEEDED"), (STEP_UP, SUPPORT)),
]


@pytest.mark.parametrize(("facts", "stepped_up", "reason", "routes"), HIDDEN)
def test_a_buyer_hears_the_twin_with_its_own_fixed_routes(
    facts: Facts, stepped_up: bool, reason: Reason, routes: tuple[Route, ...]
) -> None:
    told = offer_for(offer_of(facts, "credit", "pay_later"), Audience.BUYER, stepped_up)
    assert told.reasons == (reason,)
    assert (told.remedies, told.routes, told.incurable) == ((), routes, ())


def test_after_a_step_up_a_refusal_is_told_with_its_reasons_and_a_way_to_human_review() -> None:
    facts = credit(state="rejected", principal_reasons=("CR_INCOME_LOW", "CR_NO_FILE"), limits=(), loans=())
    offer = offer_of(facts, "credit", "pay_later")
    before = offer_for(offer, Audience.BUYER)
    assert [each.code for each in before.reasons] == ["CREDIT_UNDER_ASSESSMENT", "LIMIT_INSUFFICIENT"]
    assert before.reasons[1].depends_on == "CREDIT_UNDER_ASSESSMENT"
    after = offer_for(offer, Audience.BUYER, stepped_up=True)
    assert [each.code for each in after.reasons] == [
        "CREDIT_APPLICATION_REJECTED",
        "LIMIT_INSUFFICIENT",
        "CR_INCOME_LOW",
        "CR_NO_FILE",
    ]
    assert after.routes[0] == REVIEW


def test_an_exact_reason_keeps_its_values_and_its_remedy() -> None:
    offer = offer_of(consumer(phone_reachable=False), "credit", "pay_later")
    assert offer_for(offer, Audience.BUYER) == offer


def test_a_hidden_explanation_does_not_take_the_remedies_of_the_limit_away() -> None:
    facts = credit(limits=(LimitFacts(GENERAL, "fixed", 1_389_900, 600_000),), reduced_from_minor=2_000_000)
    told = offer_for(offer_of(facts, "credit", "pay_later"), Audience.BUYER)
    assert [each.code for each in told.reasons] == ["CREDIT_UNDER_ASSESSMENT", "LIMIT_INSUFFICIENT"]
    assert (Repay(50_000, GENERAL, 50_300),) in [each.actions for each in told.remedies]
    assert STEP_UP in told.routes


def test_beside_a_hidden_reason_an_exact_one_is_told_but_no_remedy() -> None:
    facts = replace(consumer(phone_reachable=False), risk=RiskFacts(("RISK_NETWORK",)))
    told = offer_for(offer_of(facts, "credit", "pay_later"), Audience.BUYER, stepped_up=True)
    assert [each.code for each in told.reasons] == ["PHONE_NOT_REACHABLE", "RISK_REVIEW"]
    assert told.remedies == () and told.routes == (STEP_UP, ID_CHECK, OTHER, APPEAL)


def test_a_plan_above_the_cost_cap_is_a_term_that_is_not_offered() -> None:
    told = for_audience(
        evaluate(plan("instalment_12", annual_cost_ppm=240_001), "credit", "instalment_12"), Audience.BUYER
    )
    assert told == (twin("PLAN_TERM_NOT_OFFERED"),)


def test_a_merchant_hears_of_goods_and_contract_but_not_of_the_buyer() -> None:
    facts = replace(
        rules("credit", "sofas", verdict="category_excluded"),
        credit=credit(state="self_locked", overdue_minor=5).credit,
        risk=RiskFacts(("RISK_CASHOUT_SUSPECT",)),
    )
    told = offer_for(offer_of(facts, "credit", "pay_later"), Audience.MERCHANT)
    codes = [each.code for each in told.reasons]
    assert codes == ["METHOD_UNAVAILABLE_NOW", "GOODS_CATEGORY_EXCLUDED", "MIXED_CART_PARTIAL"]
    assert told.reasons[0] == twin("METHOD_UNAVAILABLE_NOW")
    assert (told.remedies, told.routes, told.cost) == ((), (), None)


def test_support_and_risk_hear_the_code_itself() -> None:
    reasons = evaluate(risky("RISK_TXN_BLOCKED", "RISK_VELOCITY"), "credit", "pay_later")
    for audience in (Audience.SUPPORT, Audience.RISK):
        assert for_audience(reasons, audience) == reasons


def test_every_code_has_a_public_form() -> None:
    for code, meta in CODES.items():
        assert public_code(code, Audience.BUYER, stepped_up=True) in CODES
        hidden = public_code(code, Audience.BUYER) != code
        assert hidden == (meta.disclosure is not Disclosure.EXACT)
        if meta.disclosure is Disclosure.STEP_UP:
            assert public_code(code, Audience.BUYER, stepped_up=True) == code
        if meta.group in "ABCDEG":
            assert public_code(code, Audience.MERCHANT) == "METHOD_UNAVAILABLE_NOW"
