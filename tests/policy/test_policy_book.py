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
    ExposureRow,
    GoodsRow,
    InterestFreeRow,
    MethodRow,
    Numbers,
    PlanRow,
    PolicyBook,
    PolicyDocument,
    PolicyState,
    PolicyVersion,
)
from fenqi.policy.model import ANY, SCENES, SELLER_KINDS
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


ROWS = st.lists(
    st.builds(
        GoodsRow,
        rule_id=st.uuids().map(str),
        method=st.just("credit"),
        category=st.sampled_from([ANY, "digital", "phone", "gold"]),
        scene=st.sampled_from([ANY, *SCENES]),
        seller_kind=st.sampled_from([ANY, *SELLER_KINDS]),
    ),
    max_size=12,
    unique_by=lambda row: (row.category, row.scene, row.seller_kind),
)


@given(ROWS, st.sampled_from(SCENES), st.sampled_from(["phone", "digital", "gold_bar"]), st.sampled_from(SELLER_KINDS))
def test_the_most_specific_row_decides(rows, scene, category, kind):
    path = TREE.path(category)
    matching = [
        row
        for row in rows
        if row.category in (ANY, *path) and row.scene in (ANY, scene) and row.seller_kind in (ANY, kind)
    ]

    def rank(row):
        nearness = len(path) if row.category == ANY else path.index(row.category)
        return nearness, row.scene == ANY, row.seller_kind == ANY

    document = PolicyDocument((MethodRow("credit", SCENES, SCENES),), tuple(rows), ())
    found = book(document).goods(scene, path, kind, "credit")
    assert found.matched == bool(matching)
    if matching:
        assert found.rule_id == min(matching, key=rank).rule_id
        assert sum(rank(row) == rank(min(matching, key=rank)) for row in matching) == 1


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


def _goods(**changes):
    return _with(goods=(*DEFAULT.goods, GoodsRow(**({"rule_id": "new", "method": "credit"} | changes))))


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (_goods(category="phone", scene="moon"), "unknown scene 'moon'"),
        (_goods(category="spaceship"), "unknown category 'spaceship'"),
        (_goods(category="phone", seller_kind="pirate"), "unknown seller kind"),
        (_goods(category="phone", verdict="maybe"), "unknown verdict"),
        (_goods(category="phone", excluded=("fun",)), "unknown kind"),
        (_goods(category="phone", min_minor=10, max_minor=5), "make no sense"),
        (_goods(category="phone", max_minor=0), "make no sense"),
        (_goods(category="phone", terms=(7,)), "no plan has 7 instalments"),
        (_goods(category="phone", method="alms"), "unknown method 'alms'"),
        (_goods(scene="mall"), "goods key 'credit/*/mall/*' is there twice"),
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
        (_with(exposure=(ExposureRow("p", "credit", -1),)), "room can't be negative"),
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


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"methods": [], "goods": [], "plans": [], "extra": 1}'])
def test_what_is_no_document_is_refused(raw):
    with pytest.raises(Refusal, match="POLICY_INVALID"):
        policies.parse_document(raw)
