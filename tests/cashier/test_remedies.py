"""Remedies on a plain order: which plans of steps are offered, what they cost, and in which order."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace
from tests.cashier.plain import (
    DAY_MS,
    GENERAL,
    MIDNIGHT_MS,
    MINUTE_MS,
    NOW_MS,
    consumer,
    credit,
    limits,
    line,
    method,
    money,
    order,
    plain,
    plan,
    rules,
    seller,
)

from fenqi.cashier import apply, evaluate, next_best, offer_of, offers, remedies
from fenqi.cashier.action import (
    AcceptPrice,
    Action,
    Activate,
    BindCard,
    ChangeDelivery,
    ChangeScene,
    ChangeSeller,
    ChoosePlan,
    Cost,
    GiveConsent,
    OpenMoneyAccount,
    PayOverdue,
    PayPartBy,
    Remedy,
    RemoveCoupon,
    Reopen,
    Reorder,
    Repay,
    Route,
    SetPayPassword,
    SettleLoan,
    SignAgreement,
    StepUp,
    SwitchOnPay,
    TakeOutLines,
    TopUp,
    Unlock,
    UseClient,
    VerifyIdentity,
    Wait,
)
from fenqi.cashier.facts import CapFacts, ChannelFacts, CouponFacts, Facts, HoldFacts, LimitFacts, OpenLoan

ALL = 839_900
SOON, LATER = NOW_MS + 10 * MINUTE_MS, NOW_MS + 60 * MINUTE_MS
"""Before and after the order's time to pay is over."""


def steps(facts: Facts, name: str = "credit", code: str = "pay_later") -> list[tuple[Action, ...]]:
    """The offered plans of steps; each is carried out here, and leaves no reason."""
    found = remedies(facts, name, code)
    for remedy in found:
        after: Facts | None = facts
        for action in remedy.actions:
            assert after is not None
            after = apply(action, after)
        assert after is not None and evaluate(after, name, remedy.plan or code) == ()
    return [remedy.actions for remedy in found]


ONE_STEP: list[tuple[Facts, Action]] = [
    (credit(state="not_activated", agreement_signed=None), Activate()),
    (credit(state="closed_by_user"), Reopen()),
    (credit(state="self_locked"), Unlock("self_locked")),
    (credit(state="dormant_locked"), Unlock("dormant_locked")),
    (credit(state="pin_locked"), Unlock("pin_locked")),
    (credit(agreement_required="2026-08"), SignAgreement("2026-08")),
    (credit(consent_given=False), GiveConsent()),
    (consumer(real_name="none"), VerifyIdentity("real_name")),
    (consumer(real_name="mismatch"), VerifyIdentity("real_name")),
    (consumer(id_document_until_on=date(2026, 9, 20)), VerifyIdentity("id_document")),
    (consumer(phone_reachable=False), VerifyIdentity("phone")),
    (consumer(pay_password="none"), SetPayPassword()),
    (consumer(pay_password="locked"), SetPayPassword()),
    (method("credit", step_up_from_minor=1), StepUp()),
    (method("credit", deliveries_excluded=("express",)), ChangeDelivery("pick_up")),
    (method("credit", channel=ChannelFacts("lender", clients=("app",))), UseClient("app")),
    (method("credit", channel=ChannelFacts("lender", "maintenance", SOON)), Wait(SOON)),
    (method("credit", suspended=True, suspended_until_ms=SOON), Wait(SOON)),
    (order(open_attempt="alipay", open_attempt_until_ms=SOON), Wait(SOON)),
    (order(state="closed"), Reorder()),
    (order(quoted_minor=ALL - 100), AcceptPrice(ALL - 100)),
    (
        replace(
            method("credit", offered_in=("instalment_mall",)), order=order(also_in_scenes=("instalment_mall",)).order
        ),
        ChangeScene("instalment_mall"),
    ),
    (line("l2", forbidden_word=True), TakeOutLines(("l2",))),
    (rules("credit", "sofas", verdict="category_excluded"), TakeOutLines(("l2",))),
]


@pytest.mark.parametrize(("facts", "action"), ONE_STEP)
def test_one_step_is_enough(facts: Facts, action: Action) -> None:
    assert steps(facts) == [(action,)]


def test_repaying_is_funded_from_a_bound_card_or_one_bound_for_it() -> None:
    """¥1,000 short. Repaying ¥1,000 of loan a takes its fees along: 201,200 / 200,000 of it, ¥1,006.00."""
    short = limits(LimitFacts(GENERAL, "fixed", 1_339_900, 600_000))
    short = replace(short, credit=replace(short.credit, loans=plain().credit.loans))
    one_line = replace(short, lines=(replace(short.lines[0], amount_minor=ALL),))
    rich = replace(one_line, money=money(balance_minor=100_600).money)
    repay = Repay(100_000, GENERAL, 100_600)
    assert steps(rich) == [(PayPartBy("money_account", 100_000),), (repay,)]
    by_card = replace(rich, money=money(balance_minor=600).money)
    assert steps(by_card) == [(TopUp(99_400), PayPartBy("money_account", 100_000)), (TopUp(100_000), repay)]
    bare = replace(by_card, consumer=consumer(cards=0).consumer)
    assert steps(bare)[1] == (BindCard(), TopUp(100_000), repay)
    closed = replace(bare, money=money(is_open=False, balance_minor=0).money)
    assert steps(closed)[1] == (OpenMoneyAccount(), BindCard(), TopUp(100_600), repay)


def test_the_ways_out_of_a_limit_that_is_too_small_cheapest_first() -> None:
    """¥500 short: ¥500 by the money account, or the sofa in an order of its own, or ¥500 repaid to the limit."""
    facts = credit(limits=(LimitFacts(GENERAL, "fixed", 1_389_900, 600_000),))
    assert remedies(facts, "credit", "pay_later") == (
        Remedy((PayPartBy("money_account", 50_000),), Cost(steps=1)),
        Remedy((TakeOutLines(("l2",)),), Cost(steps=1)),
        Remedy((Repay(50_000, GENERAL, 50_300),), Cost(steps=1, outlay_minor=50_300)),
    )


def test_an_overdrawn_limit_is_repaid_to_below_its_ceiling() -> None:
    facts = credit(limits=(LimitFacts(GENERAL, "fixed", 1_000_000, 1_839_900),))
    loans = (OpenLoan("a", 1_839_900, 1_839_900),)
    rich = replace(facts, credit=replace(facts.credit, loans=loans), money=money(balance_minor=2_000_000).money)
    one_line = replace(rich, lines=(replace(rich.lines[0], amount_minor=ALL),))
    assert (Repay(1_679_800, GENERAL, 1_679_800),) in steps(one_line)


def test_where_one_limit_owes_too_little_another_is_repaid_too() -> None:
    """500 fen short. The fixed limit is overdrawn by 300, so its debt of 500 frees 200; the temporary one gives 300."""
    given = (
        LimitFacts(GENERAL, "fixed", 1_000, 1_300),
        LimitFacts("asset:loan_principal:temporary", "temporary", ALL + 500, 1_000),
    )
    loans = (OpenLoan("a", 500, 500), OpenLoan("b", 1_000, 1_000, "asset:loan_principal:temporary"))
    facts = credit(limits=given, loans=loans)
    facts = replace(facts, lines=(replace(facts.lines[0], amount_minor=ALL),), methods=facts.methods[:1])
    assert steps(facts) == [(Repay(500, GENERAL, 500), Repay(300, "asset:loan_principal:temporary", 300))]


def test_overdue_debt_is_paid_and_then_observed() -> None:
    """Paying frees the principal; the line is observed through the 22nd, so the order has to be placed anew."""
    loans = (OpenLoan("a", 200_000, 201_200, overdue_minor=51_300, overdue_principal_minor=50_000),)
    facts = credit(loans=loans, overdue_minor=51_300, overdue_days=3, observed_if_cleared_until_on=date(2026, 9, 22))
    wait = Wait(MIDNIGHT_MS + DAY_MS)
    assert steps(facts) == [(PayOverdue(51_300), wait, Reorder())]
    after = apply(PayOverdue(51_300), facts)
    assert after is not None
    assert after.credit.limits[0].used_minor == 550_000
    assert after.credit.loans == (OpenLoan("a", 150_000, 150_000),)
    assert after.money.balance_minor == 48_700


def test_too_many_loans_are_settled_the_cheapest_first() -> None:
    facts = replace(credit(loans_cap=1), money=money(balance_minor=0).money)
    assert steps(facts) == [
        (TopUp(603_600), SettleLoan("a", 201_200), SettleLoan("b", 402_400)),
    ]
    after = apply(SettleLoan("b", 402_400), replace(facts, money=money(balance_minor=402_400).money))
    assert after is not None and after.credit.limits[0].used_minor == 200_000 and after.money.balance_minor == 0


def test_a_wait_beyond_the_time_to_pay_needs_a_new_order() -> None:
    facts = method("credit", caps=(CapFacts("day", ALL, ALL, MIDNIGHT_MS),))
    facts = replace(facts, lines=(replace(facts.lines[0], amount_minor=ALL),), money=money(balance_minor=0).money)
    facts = replace(facts, consumer=consumer(cards=0, phone_reachable=True).consumer)
    assert steps(facts) == [(Wait(MIDNIGHT_MS), Reorder())]
    after = apply(Wait(MIDNIGHT_MS), facts)
    assert after is not None
    assert after.today_on == date(2026, 9, 22)
    assert [cap for each in after.methods for cap in each.caps] == [CapFacts("day", ALL, 0, MIDNIGHT_MS + DAY_MS)]
    assert [each.code for each in evaluate(after, "credit", "pay_later")] == ["ORDER_EXPIRED"]


def test_a_wait_for_holds_does_not_outlive_a_temporary_limit() -> None:
    """The hold is released after midnight, when the temporary limit that would be needed too has lapsed."""
    given = (
        LimitFacts(GENERAL, "fixed", 800_000, held_minor=100_000),
        LimitFacts("asset:loan_principal:temporary", "temporary", 39_900, expires_on=date(2026, 9, 21)),
    )
    early, late = HoldFacts(GENERAL, 100_000, "A1", SOON), HoldFacts(GENERAL, 100_000, "A1", MIDNIGHT_MS)
    nothing = money(balance_minor=0).money
    for hold, expected in ((early, [(Wait(SOON),)]), (late, [])):
        facts = replace(limits(*given, holds=(hold,)), money=nothing)
        facts = replace(facts, consumer=consumer(cards=0, phone_reachable=False).consumer)
        facts = replace(facts, lines=(replace(facts.lines[0], amount_minor=ALL),))
        reachable = replace(facts, consumer=consumer(cards=0).consumer, methods=facts.methods[:1])
        assert steps(reachable) == expected


def test_steps_come_in_an_order_in_which_they_can_be_taken() -> None:
    """The phone first, for the lock's SMS code; the step-up last, for it lapses."""
    facts = replace(
        credit(state="self_locked", agreement_required="2026-08"), consumer=consumer(phone_reachable=False).consumer
    )
    facts = replace(facts, methods=method("credit", step_up_from_minor=1).methods)
    assert steps(facts) == [
        (VerifyIdentity("phone"), Unlock("self_locked"), SignAgreement("2026-08"), StepUp()),
    ]


def test_another_seller_or_without_the_line() -> None:
    facts = seller()
    lines = (facts.lines[0], replace(facts.lines[1], merchant_id="other", alternatives=()))
    lines = (lines[0], replace(lines[1], alternatives=facts.lines[1].alternatives))
    third = replace(facts.sellers[1], merchant_id="closed", status="closed")
    facts = replace(facts, sellers=(*facts.sellers, third))
    bad = replace(facts, lines=(lines[0], replace(lines[1], merchant_id="closed")))
    assert remedies(bad, "credit", "pay_later") == (
        Remedy((TakeOutLines(("l2",)),), Cost(steps=1)),
        Remedy((ChangeSeller("l2", "sofa", "other", 241_000),), Cost(money_minor=1_000, steps=1)),
    )
    after = apply(ChangeSeller("l2", "sofa", "other", 241_000), bad)
    assert after is not None and after.order.payable_minor == 840_900 == sum(x.amount_minor for x in after.lines)


def test_discounts_follow_the_lines() -> None:
    coupon = CouponFacts("c1", 3_000, methods=("alipay",), shares=(("l1", 2_100), ("l2", 900)))
    facts = replace(plain(), coupons=(coupon,))
    assert remedies(facts, "credit", "pay_later") == (
        Remedy((RemoveCoupon("c1", 3_000),), Cost(money_minor=3_000, steps=1)),
    )
    without = apply(RemoveCoupon("c1", 3_000), facts)
    assert without is not None and without.coupons == ()
    assert [x.amount_minor for x in without.lines] == [602_000, 240_900]
    assert without.order.payable_minor == 842_900 == without.order.quoted_minor
    alone = apply(TakeOutLines(("l2",)), facts)
    assert alone is not None and alone.order.payable_minor == 599_900
    assert alone.coupons == (replace(coupon, amount_minor=2_100, shares=(("l1", 2_100),)),)


def test_an_unrecorded_discount_is_shared_in_proportion() -> None:
    """¥30.01 over 599,900 and 240,000 fen: 2,143.46 and 857.53, rounded down, the odd fen on the first."""
    facts = replace(plain(), coupons=(CouponFacts("c1", 3_001),))
    alone = apply(TakeOutLines(("l2",)), facts)
    assert alone is not None and alone.coupons[0].shares == (("l1", 2_144),)


def test_a_plan_within_the_cost_cap_is_chosen() -> None:
    facts = plan("instalment_12", annual_cost_ppm=250_000)
    found = remedies(facts, "credit", "instalment_12")
    assert [(each.actions, each.plan) for each in found] == [((ChoosePlan("pay_later"),), "pay_later")]


def test_the_deposit_by_another_method_the_tail_by_this_one() -> None:
    facts = rules(
        "credit",
        "phones",
        order(
            presale_stage="deposit", payable_minor=20_000, quoted_minor=20_000, tail_from_ms=LATER, tail_minor=819_900
        ),
        excluded=("presale_deposit",),
    )
    assert steps(facts) == [(PayPartBy("money_account", 20_000), Wait(LATER))]
    paid = apply(PayPartBy("money_account", 20_000), facts)
    tail = apply(Wait(LATER), paid) if paid is not None else None
    assert tail is not None
    assert (tail.order.presale_stage, tail.order.payable_minor, tail.order.covered_minor) == ("tail", 819_900, 0)
    assert tail.money.balance_minor == 80_000


def test_the_money_account_is_filled_switched_on_or_opened() -> None:
    assert steps(money(balance_minor=ALL, pay_switch_on=False), "money_account", "full") == [(SwitchOnPay(),)]
    ways = steps(plain(), "money_account", "full")
    assert ways[0] == (PayPartBy("credit", 739_900),)
    assert (TopUp(739_900),) in ways
    empty = replace(money(is_open=False, balance_minor=0), methods=plain().methods[1:])
    assert steps(empty, "money_account", "full") == [(OpenMoneyAccount(), TopUp(ALL))]


def test_what_others_decide_is_a_route() -> None:
    offer = offer_of(credit(state="not_opened", limits=(), loans=()), "credit", "pay_later")
    assert (offer.remedies, offer.incurable) == ((), ())
    assert offer.routes == (Route("apply", 600_000),)
    pending = offer_of(credit(state="pending", expected_by_ms=SOON, limits=(), loans=()), "credit", "pay_later")
    assert pending.routes[0] == Route("await_application", 10 * MINUTE_MS)
    cooling = credit(state="rejected", reapply_from_on=date(2026, 9, 22), limits=(), loans=())
    assert Route("apply", 600_000, MIDNIGHT_MS) in offer_of(cooling, "credit", "pay_later").routes


def test_where_nothing_helps_the_next_best_method_is_shown() -> None:
    facts = consumer(is_student=True)
    found = offers(facts)
    refused = [each for each in found if each.method == "credit"]
    assert {each.incurable for each in refused} == {("STUDENT_RESTRICTED",)}
    assert all(each.remedies == () == each.routes for each in refused)
    best = next_best(found, than="credit")
    assert best is not None and (best.method, best.available) == ("alipay", True)
    closed = next_best([each for each in found if each.method != "alipay"], than="credit")
    assert closed is not None and (closed.method, closed.remedies[0].actions) == ("money_account", (TopUp(739_900),))


def test_no_remedy_is_offered_while_another_reason_has_none() -> None:
    facts = replace(credit(state="self_locked"), consumer=consumer(age=17).consumer)
    offer = offer_of(facts, "credit", "pay_later")
    assert offer.remedies == () and offer.incurable == ("AGE_INELIGIBLE",)


def test_an_action_that_cannot_be_taken_gives_nothing() -> None:
    assert apply(Activate(), plain()) is None
    assert apply(PayOverdue(1), plain()) is None
    assert apply(Repay(100_000, GENERAL, 100_599), plain()) is None
    assert apply(Repay(600_001, GENERAL, 604_000), money(balance_minor=10_000_000)) is None
    assert apply(TakeOutLines(("l1", "l2")), plain()) is None
    assert apply(TakeOutLines(("l9",)), plain()) is None
    assert apply(TakeOutLines(("l2",)), order(open_attempt="alipay")) is None
    assert apply(PayPartBy("alipay", 100), plain()) is None
    assert apply(PayPartBy("money_account", 100_001), plain()) is None
    assert apply(Wait(NOW_MS), plain()) is None
    assert apply(TopUp(1), consumer(cards=0)) is None
    assert apply(Reorder(), plain()) is None
    assert apply(Reorder(), replace(order(state="closed"), lines=line("l1", in_stock=False).lines)) is None
    assert apply(ChangeScene("mall"), plain()) is None


def test_remedies_of_a_refused_offer_are_of_different_kinds() -> None:
    for offer in offers(credit(limits=(LimitFacts(GENERAL, "fixed", 1_389_900, 600_000),))):
        kinds = [frozenset(type(action) for action in remedy.actions) for remedy in offer.remedies]
        assert len(kinds) == len(set(kinds)) <= 4
