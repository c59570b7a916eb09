"""The tables that fenqi starts with: goods, applications, limits, the risk of a payment, caps and counter-offers.

The dictionary's exclusions and caps, and thresholds of the demo's own choice; a real operator publishes its own.
"""

from __future__ import annotations

from fenqi.policy.goods_table import goods_row, goods_table
from fenqi.policy.table import Answer, Row, Table

CREDIT, MONEY = "credit", "money_account"
_OWN = '"credit", "money_account"'

_NEVER_ON_CREDIT = ("gift", "subscription", "enterprise", "presale_deposit")
_NOT_ABROAD = (*_NEVER_ON_CREDIT, "cross_border")
_NOT_OUTSIDE = (*_NOT_ABROAD, "trade_in")
_IN_ONE_SUM = ("gold", "gift_card", "game_topup")
"""Goods that the wallet's own instalments don't pay for."""


def _credit_goods() -> tuple[Row, ...]:
    """Credit: what the mall sells by scene, then what can't be bought on credit at all, then narrower rules."""
    return (
        goods_row("credit-mall", CREDIT, scene="mall", max_minor=2_000_000, excluded=_NEVER_ON_CREDIT),
        goods_row("credit-instalment-mall", CREDIT, scene="instalment_mall", excluded=_NOT_ABROAD),
        goods_row(
            "credit-partner",
            CREDIT,
            scene="partner_store",
            seller_kind="external",
            max_minor=2_000_000,
            excluded=_NOT_OUTSIDE,
        ),
        goods_row("credit-scan", CREDIT, scene="scan_to_pay", max_minor=100_000, terms=(1,), excluded=_NOT_OUTSIDE),
        *(
            goods_row(f"credit-no-{category}", CREDIT, category, verdict="category_excluded")
            for category in ("gold", "gift_card", "game_topup", "medicine", "ticket")
        ),
        goods_row("credit-phone-topup", CREDIT, "phone_topup", max_minor=30_000, terms=(1,), excluded=_NEVER_ON_CREDIT),
        goods_row("credit-grocery", CREDIT, "grocery", terms=(1, 3), excluded=_NEVER_ON_CREDIT),
        goods_row(
            "credit-overseas-mall", CREDIT, "overseas", scene="mall", max_minor=500_000, excluded=_NEVER_ON_CREDIT
        ),
        goods_row("credit-camera-pop", CREDIT, "camera", seller_kind="third_party", verdict="seller_type_excluded"),
        goods_row(
            "credit-home-improvement",
            CREDIT,
            "home_improvement",
            scene="instalment_mall",
            min_minor=50_000,
            terms=(6, 12, 24),
            excluded=_NOT_ABROAD,
        ),
    )


def _other_goods() -> tuple[Row, ...]:
    return (
        goods_row("money-all", MONEY),
        goods_row("money-topup", MONEY, "topup", max_minor=100_000),
        goods_row("money-gift-card", MONEY, "gift_card", max_minor=200_000),
        *(goods_row(f"{method}-all", method) for method in ("bank_card", "alipay", "wechat_pay", "huawei_pay")),
        *(goods_row(f"alipay-one-sum-{category}", "alipay", category, terms=(1,)) for category in _IN_ONE_SUM),
    )


GOODS_TABLE = goods_table((*_credit_goods(), *_other_goods()))


SCORE = ""
"""Stands for the scorecard's own reasons: the features that cost this applicant most."""


def _against(rule_id: str, measure: str, cell: str, effect: str, code: str, weight: int) -> Row:
    return Row(rule_id, {measure: cell}, {"effect": effect, "code": code, "weight": weight})


OPENING_TABLE = Table(
    "opening",
    (
        _against("identity", "identity_mismatch", "1", "reject", "CR_UNVERIFIED_IDENTITY", 300),
        _against("incomplete", "is_incomplete", "1", "reject", "CR_APPLICATION_INCOMPLETE", 250),
        _against("delinquent-30", "delinquent_days", "> 30", "reject", "CR_BUREAU_DELINQUENT", 220),
        _against("own-overdue-30", "own_overdue_days", "> 30", "reject", "CR_OWN_DELINQUENT", 210),
        _against("lenders-8", "lenders_count", ">= 8", "reject", "CR_MULTI_LENDER", 180),
        _against("burden-55", "burden_ppm", "> 550000", "reject", "CR_DEBT_BURDEN", 170),
        _against("income-2000", "income_minor", "< 200000", "reject", "CR_INCOME_LOW", 160),
        _against("score-12", "pd_ppm", "> 120000", "reject", SCORE, 190),
        _against("inquiries-10", "inquiries_count", "> 10", "points", "CR_TOO_MANY_INQUIRIES", 90),
        _against("lenders-5", "lenders_count", ">= 5", "points", "CR_MULTI_LENDER", 80),
        _against("burden-35", "burden_ppm", "> 350000", "points", "CR_DEBT_BURDEN", 70),
        _against("score-8", "pd_ppm", "[80001..120000]", "points", SCORE, 65),
        _against("no-file", "without_file", "1", "review", "CR_NO_FILE", 60),
        _against("delinquent", "delinquent_days", "> 0", "points", "CR_BUREAU_DELINQUENT", 60),
        _against("own-overdue-3", "own_overdue_days", "> 3", "points", "CR_OWN_DELINQUENT", 50),
        _against("inquiries-5", "inquiries_count", "> 5", "points", "CR_TOO_MANY_INQUIRIES", 40),
        _against("income-unverified", "income_unverified", "1", "points", "CR_UNVERIFIED_INCOME", 35),
        _against("thin-file", "months_on_file", "< 6", "points", "CR_THIN_FILE", 30),
        _against("work-unverified", "employment_unverified", "1", "points", "CR_UNVERIFIED_EMPLOYMENT", 20),
        _against("home-unverified", "residence_unverified", "1", "points", "CR_UNVERIFIED_RESIDENCE", 15),
        Row("opening-nothing", note="nothing speaks against it"),
    ),
)
"""What speaks against an applicant. The cut-offs of the score are read off its data sheet: above 12 % lie 4 % of the
people in its data, of whom 14 % went bad; between 8 % and 12 % another 11 %."""


def _band(rule_id: str, score: int, share_ppm: int, floor_minor: int, cap_minor: int, review: bool = False) -> Row:
    then: dict[str, Answer] = {"share_ppm": share_ppm, "floor_minor": floor_minor, "cap_minor": cap_minor}
    return Row(rule_id, {"score": f">= {score}"}, then | {"review": True} if review else then)


LIMIT_TABLE = Table(
    "limit",
    (
        _band("limit-680", 680, 3_000_000, 1_000_000, 5_000_000),
        _band("limit-620", 620, 2_000_000, 500_000, 3_000_000),
        _band("limit-540", 540, 1_000_000, 100_000, 1_500_000),
        _band("limit-500", 500, 500_000, 50_000, 500_000, review=True),
        Row("limit-none", note="no limit below the pass mark"),
    ),
)


def _finding(rule_id: str, code: str, cure: str, when: dict[str, str], wait_hours: int = 0) -> Row:
    then: dict[str, Answer] = {"code": code, "cure": cure}
    return Row(rule_id, when, then | {"wait_hours": wait_hours} if wait_hours else then)


TRANSACTION_TABLE = Table(
    "transaction",
    (
        _finding("txn-blocked-person", "SANCTION_OR_FRAUD_LIST", "none", {"listed": '"block:consumer"'}),
        _finding(
            "txn-blocked-thing",
            "RISK_TXN_BLOCKED",
            "review",
            {"listed": '"block:device", "block:card", "block:address"'},
        ),
        _finding("txn-linked-fraud", "RISK_TXN_BLOCKED", "review", {"method": _OWN, "linked_fraud_count": ">= 1"}),
        _finding("txn-confirmed", "RISK_TXN_BLOCKED", "none", {"review": '"confirmed"'}),
        _finding("txn-in-review", "RISK_MANUAL_REVIEW", "review", {"review": '"open"'}),
        _finding(
            "txn-watched-person",
            "RISK_MANUAL_REVIEW",
            "review",
            {"method": '"credit"', "listed": '"watch:consumer"', "amount_minor": ">= 500000"},
        ),
        _finding(
            "txn-device-new",
            "RISK_DEVICE_NEW",
            "step_up",
            {"method": _OWN, "device_known": "false", "amount_minor": ">= 100000"},
        ),
        _finding("txn-device-rooted", "RISK_DEVICE_ROOTED", "step_up", {"method": _OWN, "device_rooted": "true"}),
        _finding(
            "txn-device-shared",
            "RISK_TXN_BLOCKED",
            "id_check",
            {"method": _OWN, "device_consumers_count": ">= 5", "amount_minor": ">= 50000"},
        ),
        _finding("txn-card-shared", "RISK_TXN_BLOCKED", "id_check", {"method": _OWN, "card_consumers_count": ">= 4"}),
        _finding(
            "txn-network", "RISK_NETWORK", "step_up", {"method": _OWN, "network": '"proxy"', "amount_minor": ">= 50000"}
        ),
        _finding(
            "txn-network-far",
            "RISK_NETWORK",
            "step_up",
            {"method": _OWN, "network": '"far"', "device_known": "false"},
        ),
        _finding(
            "txn-address-new",
            "RISK_ADDRESS_ANOMALY",
            "step_up",
            {"method": _OWN, "address_is_new": "true", "amount_minor": ">= 300000"},
        ),
        _finding(
            "txn-address-shared", "RISK_ADDRESS_ANOMALY", "review", {"method": _OWN, "address_consumers_count": ">= 10"}
        ),
        _finding(
            "txn-cash-out-shop",
            "RISK_CASHOUT_SUSPECT",
            "review",
            {"method": '"credit"', "same_seller_30d_count": ">= 5", "limit_used_ppm": ">= 900000"},
        ),
        _finding(
            "txn-cash-out-night",
            "RISK_CASHOUT_SUSPECT",
            "review",
            {
                "method": '"credit"',
                "hour": "[0..5]",
                "limit_used_ppm": ">= 950000",
                "amount_minor": ">= 500000",
                "same_seller_30d_count": ">= 1",
            },
        ),
        _finding(
            "txn-seller-linked", "RISK_CASHOUT_SUSPECT", "review", {"method": '"credit"', "seller_linked": "true"}
        ),
        _finding(
            "txn-profile-churn",
            "RISK_PROFILE_CHURN",
            "wait",
            {"method": '"credit"', "profile_changed_hours": "< 24", "amount_minor": ">= 100000"},
            24,
        ),
        _finding(
            "txn-takeover",
            "RISK_ACCOUNT_TAKEOVER",
            "id_check",
            {"method": _OWN, "device_known": "false", "wrong_passwords_24h_count": ">= 3"},
        ),
        _finding(
            "txn-merchant-flagged",
            "RISK_MERCHANT_FLAGGED",
            "review",
            {"method": '"credit"', "listed": '"block:merchant", "watch:merchant"'},
        ),
        _finding(
            "txn-abuse-returns",
            "RISK_ABUSE_RETURNS",
            "review",
            {"method": '"credit"', "returns_90d_count": ">= 8", "returned_90d_ppm": ">= 600000"},
        ),
        _finding("txn-velocity", "RISK_VELOCITY", "wait", {"presses_1h_count": ">= 20"}, 1),
        _finding("txn-velocity-refused", "RISK_VELOCITY", "wait", {"refused_1h_count": ">= 10"}, 1),
        _finding("txn-velocity-device", "RISK_VELOCITY", "wait", {"device_presses_1h_count": ">= 40"}, 1),
        Row("txn-nothing", note="looked at, and nothing found"),
    ),
)
"""Every finding of group E once at least, with what lifts it (reasons.md). Who presses too often, or is refused too
often, waits an hour: as long as the windows are, so that the wait said is the wait there is."""

EXPOSURE_TABLE = Table(
    "exposure",
    (
        Row(
            "exposure-furniture",
            {"method": '"credit"', "category": '"furniture"'},
            {"programme": "furniture", "cap_minor": 5_000_000_000},
            "furniture on credit, ¥50 million in all",
        ),
        Row("exposure-none", note="under no cap of the whole book"),
    ),
)

COUNTER_OFFER_TABLE = Table(
    "counter_offer",
    (
        Row(
            "counter-high-pd",
            {"method": '"credit"', "pd_ppm": ">= 80000", "amount_minor": ">= 100000"},
            {"down_payment_ppm": 200_000},
            "above 8 % a fifth is paid at once",
        ),
        Row(
            "counter-young-television",
            {
                "method": '"credit"',
                "category": '"television"',
                "account_age_days": "< 180",
                "amount_minor": ">= 800000",
            },
            {"down_payment_ppm": 200_000, "most_instalments": 12},
            "dear televisions of young accounts sell on easily: a fifth down, a year at most",
        ),
        Row("counter-nothing", note="as asked"),
    ),
)

TABLES = (OPENING_TABLE, LIMIT_TABLE, GOODS_TABLE, TRANSACTION_TABLE, EXPOSURE_TABLE, COUNTER_OFFER_TABLE)
"""One of each key."""
