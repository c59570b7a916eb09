"""The policy's tables as a pure value: the most specific row decides, what is impossible is refused by the lint."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenqi import policy as policies
from fenqi.catalog import CategoryTree
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy import (
    CapRow,
    InterestFreeRow,
    MethodRow,
    Numbers,
    PlanRow,
    PolicyBook,
    PolicyDocument,
    PolicyState,
    PolicyVersion,
    Who,
    goods_row,
    goods_table,
)
from fenqi.policy.default_tables import EXPOSURE_TABLE, GOODS_TABLE
from fenqi.policy.model import SCENES, SELLER_KINDS
from fenqi.policy.table import Row, Table
from fenqi.seed import categories

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
SHOP = new_id()
TREE = CategoryTree(categories())
DEFAULT = policies.default_document(AT, SHOP)


def book(document):
    return PolicyBook(
        PolicyVersion(new_id(), "t", PolicyState.PUBLISHED, document, "staff:ann", AT, "staff:bea", AT, AT)
    )


BOOK = book(DEFAULT)


def verdict(scene, category, kind, method="credit", policy=BOOK):
    found = policy.goods(scene, TREE.path(category), kind, method)
    return found.rule_id, found.verdict


@pytest.mark.parametrize(
    ("scene", "category", "kind", "expected"),
    [
        ("mall", "phone", "self_operated", ("credit-mall", "allow")),
        ("instalment_mall", "sofa", "third_party", ("credit-instalment-mall", "allow")),
        ("partner_store", "bag", "external", ("credit-partner", "allow")),
        ("scan_to_pay", "tea", "external", ("credit-grocery", "allow")),
        ("mall", "gold_bar", "third_party", ("credit-no-gold", "category_excluded")),
        ("mall", "jewellery", "self_operated", ("credit-no-gold", "category_excluded")),
        ("mall", "gift_card", "self_operated", ("credit-no-gift_card", "category_excluded")),
        ("mall", "game_topup", "third_party", ("credit-no-game_topup", "category_excluded")),
        ("mall", "phone_topup", "third_party", ("credit-phone-topup", "allow")),
        ("mall", "medicine", "third_party", ("credit-no-medicine", "category_excluded")),
        ("mall", "ticket", "third_party", ("credit-no-ticket", "category_excluded")),
        ("mall", "camera", "third_party", ("credit-camera-pop", "seller_type_excluded")),
        ("mall", "camera", "self_operated", ("credit-mall", "allow")),
    ],
)
def test_the_default_policy_realises_the_dictionary(scene, category, kind, expected):
    assert verdict(scene, category, kind) == expected


def test_no_row_is_policy_missing():
    found = BOOK.goods("partner_store", TREE.path("bag"), "self_operated", "credit")
    assert (found.matched, found.rule_id) == (False, "")
    assert ("credit", "partner_store", "self_operated") in policies.gaps(DEFAULT)
    assert {method for method, _, _ in policies.gaps(DEFAULT)} == {"credit"}


def test_caps_plans_and_words_of_the_default():
    assert CapRow("month", 300_000, "scan_to_pay") in BOOK.method("credit").caps
    assert [p.instalments for p in BOOK.plans("credit", "mall")] == [1, 3, 6, 12, 24]
    assert [p.plan for p in BOOK.plans("money_account", "mall")] == ["full"]
    assert BOOK.goods("mall", TREE.path("phone_topup"), "third_party", "credit").max_minor == 30_000
    assert BOOK.has_forbidden_word("补差价专拍（代付返现）") and not BOOK.has_forbidden_word("手机")
    with pytest.raises(NotFound, match="METHOD_UNKNOWN"):
        BOOK.method("cowrie")


CASES = st.tuples(
    st.sampled_from([(), "digital", "phone", "gold"]),
    st.sampled_from([(), *SCENES]),
    st.sampled_from([(), *SELLER_KINDS]),
)
DEPTHS = {code: len(TREE.path(code)) for code in TREE.codes}


@given(
    st.lists(CASES, max_size=12, unique=True),
    st.sampled_from(SCENES),
    st.sampled_from(["phone", "digital", "gold_bar"]),
    st.sampled_from(SELLER_KINDS),
)
def test_of_goods_rows_the_most_specific_decides(cases, scene, category, kind):
    path = TREE.path(category)
    matching = [case for case in cases if case[0] in ((), *path) and case[1] in ((), scene) and case[2] in ((), kind)]

    def rank(case):
        return len(path) if case[0] == () else path.index(case[0]), case[1] == (), case[2] == ()

    rows = [goods_row(repr(case), "credit", case[0], scene=case[1], seller_kind=case[2]) for case in cases]
    document = PolicyDocument((MethodRow("credit", SCENES, SCENES),), (), tables=(goods_table(rows, DEPTHS),))
    found = book(document).goods(scene, path, kind, "credit")
    assert found.matched == bool(matching)
    if matching:
        assert found.rule_id == repr(min(matching, key=rank))


def with_table(table):
    tables = tuple(table if each.key == table.key else each for each in DEFAULT.tables)
    return msgspec.structs.replace(DEFAULT, tables=tables)


FURNITURE = goods_row(
    "furniture-parents",
    "credit",
    "furniture",
    segments="student_parent",
    clean_months=">= 24",
    max_minor=2_000_000,
    terms=(3, 6, 12, 24),
)
SOFA = ("partner_store", TREE.path("sofa"), "self_operated", "credit")


def test_a_rule_for_students_parents_with_two_clean_years():
    policy = book(with_table(Table("goods", (FURNITURE, *GOODS_TABLE.rows))))
    parent = Who(segments=("student_parent", "teacher"), clean_months=24)
    assert not BOOK.goods(*SOFA, who=parent).matched
    found = policy.goods(*SOFA, who=parent)
    assert (found.rule_id, found.max_minor, found.terms) == ("furniture-parents", 2_000_000, (3, 6, 12, 24))
    assert not policy.goods(*SOFA, who=Who(segments=("student_parent",), clean_months=23)).matched
    assert not policy.goods(*SOFA, who=Who(segments=("teacher",), clean_months=99)).matched
    assert not policy.goods(*SOFA).matched


def test_a_rule_for_one_merchant_goes_by_its_code():
    shop = goods_row("no-credit-there", "credit", merchant="8080", verdict="category_excluded")
    policy = book(with_table(goods_table((shop, *GOODS_TABLE.rows[:-1]))))
    case = ("mall", TREE.path("phone"), "third_party", "credit")
    assert policy.goods(*case, merchant="8080").verdict == "category_excluded"
    assert policy.goods(*case, merchant="8081").rule_id == "credit-mall"
    assert policy.goods(*case).rule_id == "credit-mall"


def test_what_a_goods_rule_asks_and_nobody_knows_is_policy_missing():
    risky = Row("risky", {"pd_ppm": "> 100000"}, {"verdict": "category_excluded"})
    policy = book(with_table(Table("goods", (risky, *GOODS_TABLE.rows))))
    case = ("mall", TREE.path("phone"), "third_party", "credit")
    assert not policy.goods(*case).matched
    assert policy.goods(*case, who=Who(pd_ppm=100_001)).verdict == "category_excluded"
    assert policy.goods(*case, who=Who(pd_ppm=100_000)).rule_id == "credit-mall"


def test_without_its_table_nothing_is_covered():
    policy = book(msgspec.structs.replace(DEFAULT, tables=()))
    assert not policy.goods("mall", TREE.path("phone"), "third_party", "credit").matched
    assert policy.ask("transaction", {}).missing == ("transaction",)
    with pytest.raises(NotFound, match="TABLE_UNKNOWN"):
        policy.table("goods")


def test_a_campaign_pays_for_all_the_goods_or_none():
    fridge, phone = (SHOP, TREE.path("fridge")), (new_id(), TREE.path("phone"))
    assert BOOK.interest_free("instalment_6", AT, [fridge]).campaign == "appliance-6"
    assert BOOK.interest_free("instalment_6", AT, [fridge, phone]) is None
    assert BOOK.interest_free("instalment_6", AT - timedelta(seconds=1), [fridge]) is None
    assert BOOK.interest_free("instalment_3", AT, [fridge]).campaign == "shop-3"
    assert BOOK.interest_free("instalment_3", AT, [phone]) is None
    ended = AT + timedelta(days=75)
    assert BOOK.interest_free("instalment_3", ended, [fridge]).until_at == ended
    assert BOOK.interest_free("instalment_3", ended + timedelta(days=30), [fridge]) is None


def _with(**changes):
    return msgspec.structs.replace(DEFAULT, **changes)


def _goods(rule_id="new", method="credit", category=(), **changes):
    rows = (goods_row(rule_id, method, category, **changes), *GOODS_TABLE.rows)
    return with_table(Table("goods", rows))


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (_goods(category="phone", scene="moon"), "unknown scene 'moon'"),
        (_goods(category="spaceship"), "unknown category 'spaceship'"),
        (_goods(category="phone", seller_kind="pirate"), "unknown seller kind"),
        (_goods(category="phone", verdict="maybe"), "verdict: unknown 'maybe'"),
        (_goods(category="phone", excluded=("fun",)), "excluded: unknown 'fun'"),
        (_goods(category="phone", min_minor=10, max_minor=5), "make no sense"),
        (_goods(category="phone", max_minor=0), "make no sense"),
        (_goods(category="phone", max_minor=-1), "-1 is outside"),
        (_goods(category="phone", terms=(7,)), "no plan has 7 instalments"),
        (_goods(category="phone", method="alms"), "unknown method 'alms'"),
        (_goods(scene="mall"), "never reached: 'new' takes every case of it"),
        (_goods(category="phone", rule_id="credit-mall"), "rule_id 'credit-mall' is there twice"),
        (_goods(category="phone", rule_id=""), "no rule_id"),
        (_with(plans=(*DEFAULT.plans, PlanRow("x", "credit", 0))), "0 instalments"),
        (_with(plans=(*DEFAULT.plans, PlanRow("x", "credit", 3, 50_001))), "50001 ppm"),
        (_with(plans=(*DEFAULT.plans, DEFAULT.plans[0])), "plan 'credit/pay_later' is there twice"),
        (_with(methods=(*DEFAULT.methods, MethodRow("shells", ("mall",), ()))), "unknown method 'shells'"),
        (
            _with(methods=(MethodRow("credit", ("mall",), (), suspended_until_at=AT), *DEFAULT.methods[1:])),
            "not suspended",
        ),
        (_with(methods=(MethodRow("credit", (), (), caps=(CapRow("year", 1),)), *DEFAULT.methods[1:])), "'year'"),
        (_with(interest_free=(InterestFreeRow("c", "platform", ("nope",), AT, AT),)), "ends before it begins"),
        (
            _with(interest_free=(InterestFreeRow("c", "merchant", (), AT, AT + timedelta(1)),)),
            "a merchant is named exactly when it pays",
        ),
        (
            with_table(Table("exposure", (Row("p", {}, {"programme": "p", "cap_minor": -1}), *EXPOSURE_TABLE.rows))),
            "-1",
        ),
        (_with(tables=DEFAULT.tables[1:]), "table 'opening' is missing"),
        (_with(tables=(*DEFAULT.tables, EXPOSURE_TABLE)), "table 'exposure' is there twice"),
        (_with(numbers=Numbers(apr_cap_ppm=360_001)), "cost cap"),
        (_with(numbers=Numbers(age_min=17)), "ages 17"),
        (_with(numbers=Numbers(loans_cap=0)), "make no sense"),
    ],
)
def test_the_lint_names_every_fault(document, fault):
    assert any(fault in line for line in policies.faults(document, TREE.codes)), policies.faults(document, TREE.codes)


def test_the_default_has_no_fault_and_survives_json():
    assert policies.faults(DEFAULT, TREE.codes) == []
    assert policies.parse_document(msgspec.json.encode(DEFAULT)) == DEFAULT


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"methods": [], "plans": [], "extra": 1}'])
def test_what_is_no_document_is_refused(raw):
    with pytest.raises(Refusal, match="POLICY_INVALID"):
        policies.parse_document(raw)
