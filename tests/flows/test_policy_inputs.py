"""What tables are asked about a checkout, and what their answers become in facts: by buyer, seller, programme."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace
from tests.cashier.plain import NOW_MS, plain

from fenqi import cashier
from fenqi.cashier import AlternativeOffer, LimitFacts, RiskFacts
from fenqi.cashier.case import View
from fenqi.flows import facts as assembled
from fenqi.flows import policy_inputs
from fenqi.kernel.ids import new_id
from fenqi.policy import PolicyBook, PolicyState, PolicyVersion, Who, default_document, goods_row
from fenqi.policy.default_tables import GOODS_TABLE
from fenqi.policy.schema import COUNTER_OFFER, EXPOSURE, GOODS, TRANSACTION
from fenqi.policy.table import Row, Table

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
WHO = Who(("student_parent",), 24, 400, 12_000)


def facts():
    """The plain checkout of a buyer with groups, from a seller with a code."""
    found = plain()
    buyer = replace(found.consumer, segments=WHO.segments, account_age_days=400, pd_ppm=12_000)
    sellers = (replace(found.sellers[0], code="8080"), replace(found.sellers[1], code="8081"))
    return replace(found, consumer=buyer, sellers=sellers, credit=replace(found.credit, clean_months=24))


def book(*tables):
    others = {table.key: table for table in tables}
    document = default_document(AT)
    changed = replace(document, tables=tuple(others.get(each.key, each) for each in document.tables))
    return PolicyBook(PolicyVersion(new_id(), "t", PolicyState.PUBLISHED, changed, "ann", AT, "bea", AT, AT))


def names(schema):
    return {field.name for field in schema.inputs}


def test_every_input_of_a_table_about_a_purchase_has_its_source():
    found = facts()
    path = policy_inputs.category_path(found.lines[0])
    assert policy_inputs.goods_inputs("mall", path, found.sellers[0], "credit", WHO).keys() == names(GOODS)
    assert policy_inputs.exposure_inputs(found, "credit").keys() == names(EXPOSURE)
    assert policy_inputs.counter_inputs(found, "credit").keys() == names(COUNTER_OFFER)
    signals = {"device_known": True, "listed": ("watch:card",), "refused_1h_count": None}
    asked = policy_inputs.transaction_inputs(replace(found, risk=RiskFacts(signals=tuple(signals.items()))), "credit")
    assert asked.keys() <= names(TRANSACTION)
    assert {name: asked[name] for name in signals} == signals


def test_an_order_is_asked_about_as_a_whole():
    """¥8,399.00 on top of ¥6,000 used, of a limit of ¥20,000: 719 950 millionths. 22:13 in Shanghai."""
    found = facts()
    asked = policy_inputs.transaction_inputs(found, "credit")
    assert asked == {
        "method": "credit",
        "scene": "mall",
        "category": ("phones", "digital", "sofas", "furniture"),
        "seller_kind": ("self_operated",),
        "merchant": ("8080",),
        "segments": ("student_parent",),
        "clean_months": 24,
        "account_age_days": 400,
        "pd_ppm": 12_000,
        "amount_minor": 839_900,
        "limit_used_ppm": 719_950,
        "hour": 22,
    }
    assert policy_inputs.limit_used_ppm(found, "money_account") == 300_000
    assert found.now_ms == NOW_MS


def test_held_counts_as_used_and_without_a_limit_nothing_is():
    found = facts()
    held = replace(found.credit, limits=(LimitFacts("asset:loan_principal:general", "fixed", 1_000_000, 0, 60_100),))
    assert policy_inputs.limit_used_ppm(replace(found, credit=held), "credit") == 900_000
    assert policy_inputs.limit_used_ppm(replace(found, credit=replace(found.credit, limits=())), "credit") == 0


def test_a_rule_for_one_seller_stands_beside_that_for_its_kind():
    shop = goods_row("not-there", "credit", merchant="8081", verdict="category_excluded")
    found = facts()
    line = replace(found.lines[1], alternatives=(AlternativeOffer("sofas", "other", 241_000),))
    rules = tuple(
        assembled.rules(book(Table("goods", (shop, *GOODS_TABLE.rows))), (line,), found.sellers, ("mall",), WHO)
    )
    credit = [(r.seller_kind, r.merchant_id, r.rule_id) for r in rules if r.method == "credit"]
    assert credit == [
        ("self_operated", "", "credit-mall"),
        ("third_party", "", "credit-mall"),
        ("third_party", "other", "not-there"),
    ]
    view = View(replace(found, rules=rules))
    own, other = found.sellers
    assert view.rule("mall", "sofas", own, "credit").rule_id == "credit-mall"
    assert view.rule("mall", "sofas", other, "credit").verdict == "category_excluded"
    assert view.rule("mall", "sofas", replace(other, merchant_id="a third"), "credit").rule_id == "credit-mall"
    assert view.rule("partner_store", "sofas", own, "credit") is None


def test_without_a_rule_for_a_seller_the_facts_are_as_they_were():
    found = facts()
    rules = tuple(assembled.rules(book(), found.lines, found.sellers, ("mall",), WHO))
    assert {r.merchant_id for r in rules} == {""} and len(rules) == 2 * 6
    assert b"merchant_id" not in msgspec.json.encode(rules)


def test_rules_ask_who_buys():
    rule = goods_row("parents", "credit", "furniture", segments="student_parent", clean_months=">= 24", terms=(3, 12))
    policy, found = book(Table("goods", (rule, *GOODS_TABLE.rows))), facts()

    def terms(who):
        rules = assembled.rules(policy, found.lines[1:], found.sellers, ("mall",), who)
        return next(r.terms for r in rules if r.method == "credit")

    assert terms(WHO) == (3, 12)
    assert terms(Who(("student_parent",), 23)) is None


EXPOSURE_TABLE = Table(
    "exposure",
    (
        Row("gold", {"category": '"gold"'}, {"programme": "gold", "cap_minor": 100}),
        Row("sofas", {"category": '"furniture"', "method": '"credit"'}, {"programme": "home", "cap_minor": 500_000}),
        Row("parents", {"segments": '"student_parent"'}, {"programme": "parents", "cap_minor": 900_000}),
        Row("none"),
    ),
)


def test_each_cap_that_bears_on_an_order_leaves_its_room():
    used = {"home": 450_000, "parents": 950_000}
    found = assembled.exposure(book(EXPOSURE_TABLE), facts(), "credit", used)
    assert [(each.programme, each.room_minor) for each in found] == [("home", 50_000), ("parents", 0)]
    assert [each.programme for each in assembled.exposure(book(EXPOSURE_TABLE), facts(), "alipay", {})] == ["parents"]
    assert assembled.exposure(book(Table("exposure", (Row("none"),))), facts(), "credit", used) == ()


def test_a_cap_that_can_not_be_told_leaves_no_room():
    table = Table("exposure", (Row("risky", {"pd_ppm": "> 5"}, {"programme": "risky", "cap_minor": 9}), Row("none")))
    unknown = replace(facts(), consumer=replace(facts().consumer, pd_ppm=None))
    (found,) = assembled.exposure(book(table), unknown, "credit", {})
    assert found.room_minor == 0
    shut = replace(unknown, methods=tuple(replace(m, exposure=(found,)) for m in unknown.methods))
    assert "EXPOSURE_CAP_REACHED" in {r.code for r in cashier.verdict(shut, "credit", None).reasons}
