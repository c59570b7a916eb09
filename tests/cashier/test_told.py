"""What a channel said last: how long each code stands, against what, for which card, and what helps against it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.cashier.plain import DAY_MS, MIDNIGHT_MS, MINUTE_MS, NOW_MS, consumer, method, plain

from fenqi.cashier import cards_refused, evaluate, offer_for, offer_of, told_of, wants_another_card
from fenqi.cashier.action import Action, BindCard, PayPartBy, TakeOutLines, Wait
from fenqi.cashier.facts import (
    ChannelFacts,
    ConsumerFacts,
    Facts,
    GoodsRule,
    LimitFacts,
    MethodFacts,
    PlanFacts,
    ToldFacts,
)
from fenqi.cashier.remedy import remedies
from fenqi.cashier.told import SPANS, stands
from fenqi.texts.model import Audience

ALL = 839_900
AT = NOW_MS - MINUTE_MS
FIRST_OCTOBER_MS = MIDNIGHT_MS + 9 * DAY_MS
HOUR_MS = 60 * MINUTE_MS
SCENES = ("mall", "instalment_mall")


def outside(*told: ToldFacts, name: str = "bank_card", cards: int = 1) -> Facts:
    """The plain order, which this method could pay too, with what its channel said."""
    facts = plain()
    terms = MethodFacts(name, SCENES, SCENES, ("mixed", "split"), channel=ChannelFacts(f"{name}_main"), told=told)
    return replace(
        facts,
        sellers=tuple(replace(x, methods=(*x.methods, name)) for x in facts.sellers),
        methods=(*(x for x in facts.methods if x.method != name), terms),
        plans=(*(x for x in facts.plans if x.method != name), PlanFacts("full", name, 1)),
        rules=(*facts.rules, *(GoodsRule(s, c, "self_operated", name) for s in SCENES for c in ("phones", "sofas"))),
        consumer=ConsumerFacts(age=30, cards=cards),
        money=replace(facts.money, balance_minor=500_000),
    )


def codes(facts: Facts, name: str = "bank_card") -> list[tuple[str, tuple[str, ...], int | None]]:
    return [(each.code, each.scope.ids, each.until_ms) for each in evaluate(facts, name, "full")]


def steps(facts: Facts, name: str = "bank_card") -> list[tuple[Action, ...]]:
    return [remedy.actions for remedy in remedies(facts, name, "full")]


SPANS_BY_HAND: list[tuple[str, str, int | None, int | None]] = [
    ("CARD_INSUFFICIENT", "c1", AT + 30 * MINUTE_MS, ALL),
    ("CARD_INSUFFICIENT", "", AT + 30 * MINUTE_MS, ALL),
    ("BALANCE_INSUFFICIENT", "", AT + 30 * MINUTE_MS, ALL),
    ("CARD_EXPIRED", "c1", None, None),
    ("CARD_INVALID", "c1", None, None),
    ("CARD_LOST_STOLEN", "c1", None, None),
    ("CARD_EXPIRED", "", AT + DAY_MS, None),
    ("CARD_LIMIT_AMOUNT", "c1", MIDNIGHT_MS, ALL),
    ("CARD_LIMIT_COUNT", "c1", MIDNIGHT_MS, None),
    ("CARD_ONLINE_DISABLED", "c1", AT + 30 * MINUTE_MS, None),
    ("TXN_NOT_PERMITTED", "c1", AT + DAY_MS, None),
    ("ISSUER_DECLINED", "c1", AT + DAY_MS, None),
    ("ISSUER_DECLINED", "", AT + 30 * MINUTE_MS, None),
    ("ISSUER_UNAVAILABLE", "c1", AT + 5 * MINUTE_MS, None),
    ("PAY_SWITCH_OFF", "", AT + 30 * MINUTE_MS, None),
    ("NO_INSTRUMENT", "", AT + 30 * MINUTE_MS, None),
    ("LIMIT_SINGLE_TXN_CAP", "", AT + DAY_MS, ALL),
    ("LIMIT_DAILY_CAP", "", MIDNIGHT_MS, ALL),
    ("LIMIT_MONTHLY_CAP", "", FIRST_OCTOBER_MS, ALL),
    ("REALNAME_REQUIRED", "", AT + 30 * MINUTE_MS, None),
    ("RISK_TXN_BLOCKED", "", AT + DAY_MS, None),
]


@pytest.mark.parametrize(("code", "card", "until_ms", "amount_minor"), SPANS_BY_HAND)
def test_how_long_a_code_stands(code: str, card: str, until_ms: int | None, amount_minor: int | None) -> None:
    assert told_of(code, AT, ALL, card) == ToldFacts(code, until_ms, amount_minor, card)


def test_the_table_above_is_whole_and_other_codes_leave_nothing() -> None:
    assert {code for code, *_ in SPANS_BY_HAND} == SPANS.keys()
    assert told_of("CHANNEL_DOWN", AT, ALL) is None and told_of("UNKNOWN", AT, ALL) is None


def test_a_month_ends_with_the_year() -> None:
    december = 1_797_000_000_000  # 2026-12-11 in Shanghai
    found = told_of("LIMIT_MONTHLY_CAP", december, 1)
    assert found is not None and found.until_ms == 1_798_732_800_000  # 2027-01-01 00:00 there


def test_what_was_refused_stands_against_as_much_or_more_until_its_instant() -> None:
    told = ToldFacts("CARD_INSUFFICIENT", NOW_MS + 5, 500)
    assert [stands(told, amount, NOW_MS) for amount in (499, 500, 501)] == [False, True, True]
    assert [stands(told, 500, at) for at in (NOW_MS + 4, NOW_MS + 5)] == [True, False]


def test_a_reason_says_what_was_refused_and_until_when() -> None:
    until_ms = NOW_MS + 29 * MINUTE_MS
    found = evaluate(outside(ToldFacts("CARD_INSUFFICIENT", until_ms, 800_000, "c1")), "bank_card", "full")
    assert [each.code for each in found] == ["CARD_INSUFFICIENT"]
    assert found[0].observed == {"told_by": "bank_card", "refused_minor": 800_000}
    assert found[0].required == {"excess_minor": ALL - 400_000}
    assert (found[0].until_ms, found[0].scope.ids) == (until_ms, ("c1",))


def test_a_declined_card_stands_aside_while_another_one_is_bound() -> None:
    expired = ToldFacts("CARD_EXPIRED", instrument="c1")
    declined = ToldFacts("ISSUER_DECLINED", NOW_MS + DAY_MS, instrument="c2")
    assert codes(outside(expired, cards=2)) == []
    assert codes(outside(expired, cards=1)) == [("CARD_EXPIRED", ("c1",), None)]
    both = outside(expired, declined, cards=2)
    assert codes(both) == [("CARD_EXPIRED", ("c1",), None), ("ISSUER_DECLINED", ("c2",), NOW_MS + DAY_MS)]
    assert codes(outside(expired, declined, cards=3)) == []
    assert cards_refused(both, ALL) == {"c1", "c2"} and wants_another_card(both)
    assert not wants_another_card(outside(expired, cards=2)) and wants_another_card(consumer(cards=0))


def test_one_reason_a_code_names_every_card() -> None:
    told = (
        ToldFacts("CARD_INSUFFICIENT", NOW_MS + 5, 500_000, "c1"),
        ToldFacts("CARD_INSUFFICIENT", NOW_MS + 9, 600_000, "c2"),
    )
    found = evaluate(outside(*told, cards=2), "bank_card", "full")
    assert [(each.scope.ids, each.until_ms) for each in found] == [(("c1", "c2"), NOW_MS + 9)]
    assert found[0].required == {"excess_minor": ALL - 300_000}, "the card that refused more is the nearer one"


def test_another_card_or_less_by_this_one_or_waiting() -> None:
    """¥8,399.00 were refused: the card may be tried with half of it, so ¥4,199.50 have to go another way."""
    facts = outside(ToldFacts("CARD_INSUFFICIENT", NOW_MS + 20 * MINUTE_MS, ALL, "c1"))
    assert steps(facts) == [
        (BindCard(),),
        (PayPartBy("credit", 419_950),),
        (TakeOutLines(("l1",)),),
        (Wait(NOW_MS + 20 * MINUTE_MS),),
    ]


def test_the_first_card_that_is_free_again_is_waited_for() -> None:
    told = (
        ToldFacts("ISSUER_DECLINED", NOW_MS + DAY_MS, instrument="c1"),
        ToldFacts("CARD_ONLINE_DISABLED", NOW_MS + 10 * MINUTE_MS, instrument="c2"),
    )
    facts = outside(*told, cards=2)
    unreachable = replace(facts, consumer=replace(facts.consumer, phone_reachable=False))
    assert steps(unreachable) == [(Wait(NOW_MS + 10 * MINUTE_MS),)]


def test_a_wallet_has_no_other_card_to_bind_here() -> None:
    declined = ToldFacts("ISSUER_DECLINED", NOW_MS + 20 * MINUTE_MS)
    facts = outside(declined, name="wechat_pay")
    assert codes(facts, "wechat_pay") == [("ISSUER_DECLINED", (), NOW_MS + 20 * MINUTE_MS)]
    assert steps(facts, "wechat_pay") == [(Wait(NOW_MS + 20 * MINUTE_MS),)]


def test_a_lost_card_is_told_to_the_buyer_as_one_that_cannot_be_used() -> None:
    shown = [
        offer_for(offer_of(outside(ToldFacts(code, instrument="c1")), "bank_card", "full"), Audience.BUYER)
        for code in ("CARD_INVALID", "CARD_LOST_STOLEN")
    ]
    assert shown[0] == shown[1]
    assert [each.code for each in shown[1].reasons] == ["CARD_INVALID"]
    assert [each.actions for each in shown[1].remedies] == [(BindCard(),)]
    assert [each.kind for each in shown[1].routes] == ["bank"]


def short(*methods: str) -> Facts:
    """A limit of ¥5,000 for an order of ¥8,399, nothing in the money account, and other methods to pay the rest."""
    facts = outside(cards=1)
    for name in methods:
        more = outside(name=name)
        facts = replace(
            facts,
            sellers=tuple(replace(x, methods=(*x.methods, name)) for x in facts.sellers),
            methods=(*(x for x in facts.methods if x.method != name), more.methods[-1]),
            plans=(*(x for x in facts.plans if x.method != name), PlanFacts("full", name, 1)),
            rules=(*facts.rules, *(x for x in more.rules if x.method == name)),
        )
    one_line = (replace(facts.lines[0], amount_minor=ALL),)
    return replace(
        facts,
        lines=one_line,
        credit=replace(facts.credit, limits=(LimitFacts(plain().credit.limits[0].path, "fixed", 500_000),), loans=()),
        money=replace(facts.money, balance_minor=0),
    )


def credit_steps(facts: Facts) -> list[tuple[Action, ...]]:
    return [remedy.actions for remedy in remedies(facts, "credit", "instalment_12")]


def test_what_the_limit_does_not_carry_is_paid_down_by_card_or_wallet() -> None:
    assert credit_steps(short("wechat_pay"))[0] == (PayPartBy("bank_card", 339_900),)
    no_card = replace(short("wechat_pay"), consumer=ConsumerFacts(age=30, cards=0))
    assert credit_steps(no_card)[0] == (PayPartBy("wechat_pay", 339_900),)


def test_own_money_goes_before_a_channel_and_both_are_shown() -> None:
    rich = short("wechat_pay")
    rich = replace(rich, money=replace(rich.money, balance_minor=400_000))
    assert credit_steps(rich)[:2] == [(PayPartBy("money_account", 339_900),), (PayPartBy("bank_card", 339_900),)]


def test_one_tender_of_two_at_most_is_taken_outside() -> None:
    told = ToldFacts("CARD_INSUFFICIENT", NOW_MS + 5, ALL, "c1")
    facts = short("wechat_pay")
    facts = replace(
        facts, methods=tuple(replace(x, told=(told,)) if x.method == "bank_card" else x for x in facts.methods)
    )
    parts = [step.method for actions in steps(facts) for step in actions if isinstance(step, PayPartBy)]
    assert parts == ["credit"]
    covered = replace(facts, order=replace(facts.order, covered_minor=1_000, covered_by="wechat_pay"))
    assert ("METHOD_NOT_INTEGRATED", (), None) in codes(covered)
    assert evaluate(covered, "credit", "instalment_12") != ()
    assert all(each.code != "METHOD_NOT_INTEGRATED" for each in evaluate(covered, "credit", "instalment_12"))


def test_a_method_that_cannot_be_mixed_pays_alone() -> None:
    facts = method("alipay", capabilities=("split",))
    covered = replace(facts, order=replace(facts.order, covered_minor=1_000, covered_by="money_account"))
    assert [(each.code, each.required) for each in evaluate(covered, "alipay", "full")] == [
        ("METHOD_NOT_INTEGRATED", {"capability": "mixed"})
    ]
