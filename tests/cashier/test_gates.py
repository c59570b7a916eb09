"""Each gate: one thing changed on a plain order, and the reasons with all their values."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace
from tests.cashier.plain import (
    DAY_MS,
    MIDNIGHT_MS,
    NOW_MS,
    Told,
    consumer,
    credit,
    line,
    method,
    money,
    order,
    plain,
    plan,
    rules,
    seller,
)

from fenqi.cashier import evaluate
from fenqi.cashier.facts import CapFacts, ChannelFacts, CouponFacts, ExposureFacts, Facts, RiskFacts
from fenqi.kernel.reason import CODES

ALL = 839_900
LATER = NOW_MS + 3_600_000


def told(facts: Facts, name: str = "credit", code: str = "pay_later") -> list[Told]:
    """The reasons of a method and plan, without what is the same in all of them."""
    found = evaluate(facts, name, code)
    assert all(each.method == name and each.policy_version == "2026-09" for each in found)
    return [(each.code, each.scope.ids, each.observed, each.required, each.until_ms) for each in found]


def test_nothing_speaks_against_a_plain_order() -> None:
    assert told(plain()) == told(plain(), code="instalment_12") == told(plain(), "alipay", "full") == []


PLATFORM: list[tuple[Facts, list[Told]]] = [
    (
        method("credit", offered_in=("instalment_mall",)),
        [("METHOD_NOT_IN_SCENE", (), {"scene": "mall"}, {"scenes": "instalment_mall"}, None)],
    ),
    (
        method("credit", integrated_in=()),
        [("METHOD_NOT_INTEGRATED", (), {"scene": "mall"}, {"integrated_in": ""}, None)],
    ),
    (
        order(needs=("split", "partial_refund")),
        [("METHOD_NOT_INTEGRATED", (), {"scene": "mall"}, {"capability": "partial_refund"}, None)],
    ),
    (method("credit", suspended=True, suspended_until_ms=LATER), [("METHOD_SUSPENDED", (), {}, {}, LATER)]),
    (
        method("credit", exposure=(ExposureFacts("phones", 800_000, LATER), ExposureFacts("mall", ALL))),
        [
            (
                "EXPOSURE_CAP_REACHED",
                ("phones",),
                {"room_minor": 800_000, "programme": "phones"},
                {"payable_minor": ALL, "shortfall_minor": 39_900},
                LATER,
            )
        ],
    ),
    (
        rules("credit", "sofas", matched=False),
        [
            (
                "POLICY_MISSING",
                ("l2",),
                {"scene": "mall", "category": "sofas", "seller_kind": "self_operated"},
                {},
                None,
            )
        ],
    ),
]

MERCHANT: list[tuple[Facts, list[Told]]] = [
    (seller(methods=("alipay",), asked_count=3), [("SELLER_NOT_ENABLED", ("own",), {"asked_count": 3}, {}, None)]),
    (
        seller(status="frozen", status_until_ms=LATER),
        [("SELLER_STATUS_ABNORMAL", ("own",), {"seller_status": "frozen"}, {}, LATER)],
    ),
    (seller(related_to_buyer=True), [("SELF_DEALING", ("own",), {}, {}, None)]),
    (
        rules("credit", "phones", verdict="seller_type_excluded"),
        [
            (
                "SELLER_TYPE_EXCLUDED",
                ("own",),
                {"seller_kind": "self_operated", "rule_id": "credit-phones"},
                {},
                None,
            ),
            (
                "MIXED_CART_PARTIAL",
                ("l1",),
                {"excluded_count": 1, "eligible_count": 1, "eligible_minor": 240_000},
                {},
                None,
            ),
        ],
    ),
]

MIXED: Told = (
    "MIXED_CART_PARTIAL",
    ("l2",),
    {"excluded_count": 1, "eligible_count": 1, "eligible_minor": 599_900},
    {},
    None,
)
SOFA = {"category": "sofas", "amount_minor": 240_000}
SOFA_BY_RULE = {**SOFA, "rule_id": "credit-sofas"}
GOODS: list[tuple[Facts, list[Told]]] = [
    (
        rules("credit", "sofas", verdict="category_excluded"),
        [("GOODS_CATEGORY_EXCLUDED", ("l2",), SOFA_BY_RULE, {}, None), MIXED],
    ),
    (
        rules("credit", "sofas", rules("credit", "phones", verdict="category_excluded"), verdict="category_excluded"),
        [
            (
                "GOODS_CATEGORY_EXCLUDED",
                ("l1",),
                {"category": "phones", "amount_minor": 599_900, "rule_id": "credit-phones"},
                {},
                None,
            ),
            ("GOODS_CATEGORY_EXCLUDED", ("l2",), SOFA_BY_RULE, {}, None),
        ],
    ),
    (
        rules("credit", "sofas", line("l2", is_gift=True), excluded=("gift",)),
        [("GOODS_GIFT_OR_ADDON", ("l2",), SOFA_BY_RULE, {}, None), MIXED],
    ),
    (line("l2", is_gift=True), []),
    (
        rules("credit", "sofas", line("l2", is_cross_border=True), excluded=("cross_border",)),
        [MIXED, ("CROSS_BORDER", ("l2",), SOFA_BY_RULE, {}, None)],
    ),
    (
        rules("credit", "sofas", line("l2", is_subscription=True), excluded=("subscription",)),
        [MIXED, ("RECURRING_OR_SUBSCRIPTION", ("l2",), SOFA_BY_RULE, {}, None)],
    ),
    (line("l2", forbidden_word=True), [("FORBIDDEN_WORD", ("l2",), SOFA_BY_RULE, {}, None)]),
    (
        replace(line("l2", is_virtual=True), credit=replace(plain().credit, virtual_suspended=True)),
        [("GOODS_VIRTUAL_SCENE_SUSPENDED", ("l2",), SOFA_BY_RULE, {}, None)],
    ),
    (
        rules("credit", "phones", order(presale_stage="deposit", tail_from_ms=LATER), excluded=("presale_deposit",)),
        [("PRESALE_DEPOSIT", (), {"payable_minor": ALL, "tail_from_ms": LATER}, {}, LATER)],
    ),
    (
        rules("credit", "phones", order(presale_stage="tail"), excluded=("presale_deposit",)),
        [],
    ),
    (
        rules("credit", "phones", order(buyer_kind="enterprise"), excluded=("enterprise",)),
        [("ENTERPRISE_ORDER", (), {}, {}, None)],
    ),
    (
        method("credit", deliveries_excluded=("express",)),
        [("DELIVERY_METHOD_EXCLUDED", (), {"delivery": "express"}, {}, None)],
    ),
    (
        order(currency="USD"),
        [("CURRENCY_NOT_SUPPORTED", (), {"currency": "USD"}, {"currencies": "CNY"}, None)],
    ),
    (
        rules("credit", "phones", min_minor=ALL + 1),
        [
            (
                "AMOUNT_BELOW_MIN",
                (),
                {"payable_minor": ALL},
                {"min_minor": ALL + 1, "shortfall_minor": 1},
                None,
            )
        ],
    ),
    (rules("credit", "phones", min_minor=ALL), []),
    (
        rules("credit", "phones", max_minor=599_899),
        [
            (
                "AMOUNT_ABOVE_MAX",
                (),
                {"payable_minor": 599_900, "rule_id": "credit-phones"},
                {"max_minor": 599_899, "excess_minor": 1},
                None,
            )
        ],
    ),
    (rules("credit", "phones", max_minor=599_900), []),
]

ACCOUNT: list[tuple[Facts, list[Told]]] = [
    (
        credit(state="closed_by_user", reapply_from_on=date(2026, 9, 22)),
        [
            ("CREDIT_COOLING_OFF", (), {}, {"reapply_from_on": "2026-09-22"}, MIDNIGHT_MS),
            ("CREDIT_CLOSED_BY_USER", (), {"credit_state": "closed_by_user"}, {}, None),
        ],
    ),
    (
        credit(state="closed_by_user", reapply_from_on=date(2026, 9, 21)),
        [("CREDIT_CLOSED_BY_USER", (), {"credit_state": "closed_by_user"}, {}, None)],
    ),
    (
        credit(state="self_locked", agreement_required="2026-08"),
        [
            ("CREDIT_SELF_LOCKED", (), {"credit_state": "self_locked"}, {}, None),
            (
                "CREDIT_AGREEMENT_EXPIRED",
                (),
                {"agreement_signed": "2026-01"},
                {"agreement_required": "2026-08"},
                None,
            ),
        ],
    ),
    (credit(state="frozen", frozen_until_ms=LATER), [("LIMIT_FROZEN", (), {"credit_state": "frozen"}, {}, LATER)]),
    (
        credit(state="not_activated", agreement_signed=None),
        [("CREDIT_NOT_ACTIVATED", (), {"credit_state": "not_activated"}, {}, None)],
    ),
    (credit(consent_given=False), [("CREDIT_AUTH_WITHDRAWN", (), {}, {}, None)]),
    (credit(opened_on_other_account=True), [("CREDIT_ON_OTHER_ACCOUNT", (), {}, {}, None)]),
    (consumer(age=17), [("AGE_INELIGIBLE", (), {"age": 17}, {"age_min": 18}, None)]),
    (consumer(region="HK"), [("REGION_INELIGIBLE", (), {"region": "HK"}, {"regions": "CN"}, None)]),
    (consumer(is_student=True), [("STUDENT_RESTRICTED", (), {}, {}, None)]),
    (consumer(real_name="none"), [("REALNAME_REQUIRED", (), {}, {}, None)]),
    (consumer(real_name="mismatch"), [("REALNAME_MISMATCH", (), {}, {}, None)]),
    (
        consumer(id_document_until_on=date(2026, 9, 20)),
        [("ID_DOCUMENT_EXPIRED", (), {"id_document_until_on": "2026-09-20"}, {}, None)],
    ),
    (consumer(id_document_until_on=date(2026, 9, 21)), []),
    (consumer(phone_reachable=False), [("PHONE_NOT_REACHABLE", (), {}, {}, None)]),
    (consumer(is_payer_owner=False), [("PAYER_NOT_ACCOUNT_OWNER", (), {}, {}, None)]),
    (consumer(pay_password="none"), [("PAY_PASSWORD_NOT_SET", (), {}, {}, None)]),
    (
        consumer(pay_password="locked", pay_password_locked_until_ms=LATER),
        [("PAY_PASSWORD_LOCKED", (), {}, {}, LATER)],
    ),
    (
        method("credit", step_up_from_minor=ALL),
        [("STEP_UP_REQUIRED", (), {"payable_minor": ALL}, {"step_up_from_minor": ALL}, None)],
    ),
    (method("credit", step_up_from_minor=ALL + 1), []),
    (
        credit(overdue_minor=50_100, overdue_days=3),
        [
            (
                "OVERDUE_CURRENT",
                (),
                {"overdue_minor": 50_100, "overdue_days": 3},
                {"overdue_minor": 0},
                None,
            )
        ],
    ),
    (
        credit(observed_until_on=date(2026, 9, 21)),
        [("OVERDUE_RECENT_HISTORY", (), {"until_on": "2026-09-21"}, {}, MIDNIGHT_MS)],
    ),
    (credit(observed_until_on=date(2026, 9, 20)), []),
    (credit(overdue_with_others=True), [("OVERDUE_WITH_OTHERS", (), {}, {}, None)]),
    (credit(dispute_case="D-17"), [("REPAYMENT_DISPUTED", (), {"case": "D-17"}, {}, None)]),
    (credit(in_collections=True), [("COLLECTIONS_OR_LEGAL", (), {}, {}, None)]),
    (
        credit(hardship_until_on=date(2026, 9, 21)),
        [("HARDSHIP_PLAN_ACTIVE", (), {"until_on": "2026-09-21"}, {}, MIDNIGHT_MS)],
    ),
]

CAPS: list[tuple[Facts, list[Told]]] = [
    (
        method("credit", single_cap_minor=ALL - 100),
        [
            (
                "LIMIT_SINGLE_TXN_CAP",
                (),
                {"available_minor": ALL - 100, "used_minor": 0, "window": "single"},
                {"payable_minor": ALL, "cap_minor": ALL - 100, "shortfall_minor": 100},
                None,
            )
        ],
    ),
    (
        method("credit", caps=(CapFacts("day", ALL, 1, LATER, "mall"), CapFacts("day", 0, 0, LATER, "scan_to_pay"))),
        [
            (
                "LIMIT_DAILY_CAP",
                (),
                {"available_minor": ALL - 1, "used_minor": 1, "window": "day", "scene": "mall"},
                {"payable_minor": ALL, "cap_minor": ALL, "shortfall_minor": 1},
                LATER,
            )
        ],
    ),
    (
        method("credit", caps=(CapFacts("month", 1_000_000, 1_000_000, LATER),)),
        [
            (
                "LIMIT_MONTHLY_CAP",
                (),
                {"available_minor": 0, "used_minor": 1_000_000, "window": "month"},
                {"payable_minor": ALL, "cap_minor": 1_000_000, "shortfall_minor": ALL},
                LATER,
            )
        ],
    ),
    (credit(loans_cap=2), [("CONCURRENT_LOANS_CAP", (), {"open_count": 2}, {"cap_count": 2}, None)]),
    (credit(loans_cap=3), []),
]

CHANNEL: list[tuple[Facts, list[Told]]] = [
    (
        method("credit", channel=ChannelFacts("lender", "maintenance", LATER, contracted=False, clients=("app",))),
        [
            ("CHANNEL_NOT_CONTRACTED", ("lender",), {"channel": "lender"}, {}, None),
            ("CHANNEL_MAINTENANCE", ("lender",), {"channel": "lender"}, {}, LATER),
            ("CLIENT_UNSUPPORTED", ("lender",), {"client": "web"}, {"clients": "app"}, None),
        ],
    ),
    (
        method("credit", channel=ChannelFacts("lender", "down")),
        [("CHANNEL_DOWN", ("lender",), {"channel": "lender"}, {}, None)],
    ),
    (method("credit", channel=ChannelFacts("lender", clients=("web",))), []),
    (
        method("credit", channel=ChannelFacts("lender", "down", LATER, banned=True, passed_over=("spare:down",))),
        [
            (
                "CHANNEL_DOWN",
                ("lender",),
                {"channel": "lender", "passage_state": "banned", "passed_over": "spare:down"},
                {},
                LATER,
            )
        ],
    ),
    (
        method("credit", channel=ChannelFacts("lender", min_minor=ALL + 1)),
        [
            (
                "AMOUNT_BELOW_MIN",
                ("lender",),
                {"payable_minor": ALL},
                {"min_minor": ALL + 1, "shortfall_minor": 1},
                None,
            )
        ],
    ),
    (
        method("credit", channel=ChannelFacts("lender", max_minor=ALL - 1)),
        [
            (
                "AMOUNT_ABOVE_MAX",
                ("lender",),
                {"payable_minor": ALL},
                {"max_minor": ALL - 1, "excess_minor": 1},
                None,
            )
        ],
    ),
    (method("credit", channel=ChannelFacts("lender", min_minor=ALL, max_minor=ALL)), []),
    (
        method("credit", channel=ChannelFacts("lender", scenes=("instalment_mall",))),
        [("CHANNEL_NOT_CONTRACTED", ("lender",), {"channel": "lender"}, {}, None)],
    ),
    (
        method("credit", channel=ChannelFacts("lender", sellers=("other",))),
        [("CHANNEL_NOT_CONTRACTED", ("lender",), {"channel": "lender"}, {}, None)],
    ),
    (method("credit", channel=ChannelFacts("lender", scenes=("mall",), sellers=("own",))), []),
]

STATE: list[tuple[Facts, list[Told]]] = [
    (order(state="paid"), [("ORDER_PAID", (), {"order_state": "paid", "pay_by_ms": NOW_MS + 1_800_000}, {}, None)]),
    (
        order(pay_by_ms=NOW_MS),
        [("ORDER_EXPIRED", (), {"order_state": "awaiting_payment", "pay_by_ms": NOW_MS}, {}, None)],
    ),
    (order(pay_by_ms=NOW_MS + 1), []),
    (
        order(quoted_minor=ALL + 100),
        [("AMOUNT_CHANGED", (), {"payable_minor": ALL}, {"quoted_minor": ALL + 100}, None)],
    ),
    (
        order(open_attempt="alipay", open_attempt_until_ms=LATER),
        [("PAYMENT_IN_PROGRESS", (), {"open_attempt": "alipay"}, {}, LATER)],
    ),
    (order(duplicate_reversing_until_ms=NOW_MS + DAY_MS), [("DUPLICATE_REVERSING", (), {}, {}, NOW_MS + DAY_MS)]),
    (order(duplicate_reversing_until_ms=NOW_MS), []),
]


@pytest.mark.parametrize(("facts", "expected"), PLATFORM + MERCHANT + GOODS + ACCOUNT + CAPS + CHANNEL + STATE)
def test_one_thing_changed(facts: Facts, expected: list[Told]) -> None:
    assert told(facts) == expected


PLANS: list[tuple[Facts, str, list[Told]]] = [
    (
        rules("credit", "phones", terms=(3, 6)),
        "instalment_12",
        [
            (
                "PLAN_TERM_NOT_OFFERED",
                ("l1",),
                {"instalments_count": 12, "category": "phones"},
                {"terms": "3,6"},
                None,
            )
        ],
    ),
    (rules("credit", "phones", terms=()), "pay_later", []),
    (plain(), "instalment_5", [("PLAN_TERM_NOT_OFFERED", (), {}, {}, None)]),
    (
        order(prior_plan="instalment_3"),
        "instalment_12",
        [("PLAN_TERM_CONFLICT", (), {"prior_plan": "instalment_3"}, {}, None)],
    ),
    (order(prior_plan="instalment_12"), "instalment_12", []),
    (
        plan("instalment_12", annual_cost_ppm=240_001),
        "instalment_12",
        [("PLAN_APR_CAP", (), {"annual_cost_ppm": 240_001}, {"apr_cap_ppm": 240_000}, None)],
    ),
    (plan("instalment_12", annual_cost_ppm=240_000), "instalment_12", []),
    (
        plan("instalment_12", min_minor=ALL + 1),
        "instalment_12",
        [
            (
                "AMOUNT_BELOW_MIN",
                ("instalment_12",),
                {"payable_minor": ALL},
                {"min_minor": ALL + 1, "shortfall_minor": 1},
                None,
            )
        ],
    ),
    (
        plan("instalment_12", max_minor=ALL - 1),
        "instalment_12",
        [
            (
                "AMOUNT_ABOVE_MAX",
                ("instalment_12",),
                {"payable_minor": ALL},
                {"max_minor": ALL - 1, "excess_minor": 1},
                None,
            )
        ],
    ),
    # 839,900 fen at 0.6 % a month for twelve months: 60,472.8 fen, rounded up
    (
        plan("instalment_12", interest_free_by="merchant", interest_free_budget_minor=60_472),
        "instalment_12",
        [
            (
                "BUDGET_EXHAUSTED",
                (),
                {"interest_free_by": "merchant", "budget_minor": 60_472},
                {"subsidy_minor": 60_473},
                None,
            )
        ],
    ),
    (plan("instalment_12", interest_free_by="merchant", interest_free_budget_minor=60_473), "instalment_12", []),
    (
        plan("instalment_12", interest_free_by="platform", interest_free_until_ms=NOW_MS),
        "instalment_12",
        [
            (
                "BUDGET_EXHAUSTED",
                (),
                {"interest_free_by": "platform", "ended_at_ms": NOW_MS},
                {"subsidy_minor": 60_473},
                None,
            )
        ],
    ),
    (
        plan("instalment_12", interest_free_by="platform", interest_free_uses_left=0),
        "instalment_12",
        [("INTEREST_FREE_QUOTA_USED", (), {"uses_left_count": 0}, {}, None)],
    ),
    (
        replace(
            plan("instalment_12", interest_free_by="platform"), lines=line("l1", is_trade_in_subsidised=True).lines
        ),
        "instalment_12",
        [("TRADE_IN_SUBSIDY_EXCLUSIVE", ("l1",), {}, {}, None)],
    ),
    (
        replace(
            plan("instalment_12", interest_free_by="platform"),
            coupons=(CouponFacts("c1", 2_000, combines_with_interest_free=False),),
        ),
        "instalment_12",
        [("COUPON_EXCLUSIVE", ("c1",), {"coupon_minor": 2_000, "coupon_id": "c1"}, {}, None)],
    ),
    (
        replace(plain(), coupons=(CouponFacts("c1", 2_000, methods=("alipay", "wechat_pay")),)),
        "pay_later",
        [
            (
                "COUPON_METHOD_BOUND",
                ("c1",),
                {"coupon_minor": 2_000, "coupon_id": "c1"},
                {"methods": "alipay,wechat_pay"},
                None,
            )
        ],
    ),
    (
        replace(plain(), coupons=(CouponFacts("c1", 2_000, combines_with_credit=False),)),
        "pay_later",
        [("COUPON_EXCLUSIVE", ("c1",), {"coupon_minor": 2_000, "coupon_id": "c1"}, {}, None)],
    ),
]


@pytest.mark.parametrize(("facts", "code", "expected"), PLANS)
def test_one_thing_changed_for_a_plan(facts: Facts, code: str, expected: list[Told]) -> None:
    assert told(facts, code=code) == expected


MONEY: list[tuple[Facts, list[Told]]] = [
    (
        plain(),
        [
            (
                "BALANCE_INSUFFICIENT",
                (),
                {"available_minor": 100_000},
                {"payable_minor": ALL, "shortfall_minor": 739_900},
                None,
            )
        ],
    ),
    (
        money(balance_minor=ALL + 7, held_minor=8),
        [
            (
                "BALANCE_INSUFFICIENT",
                (),
                {"available_minor": ALL - 1},
                {"payable_minor": ALL, "shortfall_minor": 1},
                None,
            )
        ],
    ),
    (money(balance_minor=ALL), []),
    (money(balance_minor=ALL, pay_switch_on=False), [("PAY_SWITCH_OFF", (), {}, {}, None)]),
    (money(is_open=False), [("NO_INSTRUMENT", (), {"money_account_state": "not_opened"}, {}, None)]),
    (
        money(balance_minor=ALL, state="frozen"),
        [("NO_INSTRUMENT", (), {"money_account_state": "frozen"}, {}, None)],
    ),
    (replace(money(balance_minor=ALL), consumer=consumer(age=17, is_student=True).consumer), []),
]


@pytest.mark.parametrize(("facts", "expected"), MONEY)
def test_the_money_account(facts: Facts, expected: list[Told]) -> None:
    assert told(facts, "money_account", "full") == expected


def test_what_another_tender_pays_is_not_asked_for() -> None:
    facts = replace(money(balance_minor=ALL - 39_900), order=order(covered_minor=39_900).order)
    assert told(facts, "money_account", "full") == []


def test_a_method_without_accounts_here_has_no_identity_to_check() -> None:
    facts = replace(consumer(real_name="none", pay_password="none"), credit=credit(state="not_opened").credit)
    assert told(facts, "alipay", "full") == []


def test_a_method_that_nobody_connected_is_nowhere() -> None:
    assert [code for code, *_ in told(plain(), "digital_yuan", "full")] == [
        "METHOD_NOT_IN_SCENE",
        "METHOD_NOT_INTEGRATED",
        "POLICY_MISSING",
        "POLICY_MISSING",
        "SELLER_NOT_ENABLED",
        "PLAN_TERM_NOT_OFFERED",
    ]


def test_a_step_up_check_holds_until_its_instant() -> None:
    asked = method("credit", step_up_from_minor=1)
    for until_ms, codes in ((NOW_MS - 1, ["STEP_UP_REQUIRED"]), (NOW_MS, ["STEP_UP_REQUIRED"]), (NOW_MS + 1, [])):
        facts = replace(asked, consumer=consumer(stepped_up_until_ms=until_ms).consumer)
        assert [code for code, *_ in told(facts)] == codes


def test_an_sms_limit_matters_only_where_a_code_is_needed() -> None:
    asked = method("credit", step_up_from_minor=0)
    blocked = replace(asked, consumer=replace(asked.consumer, sms_blocked_until_ms=LATER))
    assert [code for code, *_ in told(blocked)] == ["STEP_UP_REQUIRED"]
    locked = replace(blocked, consumer=replace(blocked.consumer, pay_password="locked"))
    assert [code for code, *_ in told(locked)] == ["PAY_PASSWORD_LOCKED", "STEP_UP_REQUIRED", "SMS_LIMIT"]


def test_a_refused_application_comes_with_at_most_four_principal_reasons() -> None:
    five = ("CR_INCOME_LOW", "CR_NO_FILE", "CR_THIN_FILE", "CR_MULTI_LENDER", "CR_DEBT_BURDEN")
    found = evaluate(credit(state="rejected", principal_reasons=five, limits=()), "credit", "pay_later")
    assert [each.code for each in found] == [
        "CREDIT_APPLICATION_REJECTED",
        "LIMIT_INSUFFICIENT",
        "CR_INCOME_LOW",
        "CR_NO_FILE",
        "CR_THIN_FILE",
        "CR_MULTI_LENDER",
    ]
    assert {each.depends_on for each in found[1:]} == {"CREDIT_APPLICATION_REJECTED"}


def test_the_limit_of_a_line_that_is_not_open_depends_on_its_opening() -> None:
    found = evaluate(credit(state="not_opened", limits=(), loans=()), "credit", "instalment_12")
    assert [(each.code, each.depends_on) for each in found] == [
        ("CREDIT_NOT_OPENED", None),
        ("LIMIT_INSUFFICIENT", "CREDIT_NOT_OPENED"),
    ]
    assert found[1].observed == {} and found[1].required == {"payable_minor": ALL}


def test_risk_codes_pass_through_for_the_methods_that_they_bear_on() -> None:
    facts = replace(plain(), risk=RiskFacts(("RISK_VELOCITY", "RISK_TXN_BLOCKED"), LATER, ("credit",)))
    assert told(facts) == [("RISK_TXN_BLOCKED", (), {}, {}, None), ("RISK_VELOCITY", (), {}, {}, LATER)]
    assert told(facts, "alipay", "full") == []


def test_every_code_is_written_as_the_dictionary_has_it() -> None:
    rows = PLATFORM + MERCHANT + GOODS + ACCOUNT + CAPS + CHANNEL + STATE + MONEY
    assert {code for _, expected in rows for code, *_ in expected} <= set(CODES)
