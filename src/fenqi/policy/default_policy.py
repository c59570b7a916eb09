"""The policy that fenqi starts with: methods, plans and campaigns, beside the tables of `default_tables`.

Numbers marked in products.md and reasons.md as seen in the field are taken over; the rest is the demo's own choice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from fenqi.policy.default_tables import CREDIT, MONEY, TABLES
from fenqi.policy.model import (
    SCENES,
    CapRow,
    InterestFreeRow,
    MethodRow,
    Numbers,
    PlanRow,
    PolicyDocument,
)

_CONNECTED = ("split", "partial_refund", "mixed")

_WALLETS = ("mall", "partner_store", "scan_to_pay")
"""Where the wallets are at home: the instalment mall sells by credit and by card."""


def _outside(method: str, scenes: tuple[str, ...]) -> MethodRow:
    """A method that a channel outside executes; whether it has a passage is another matter."""
    return MethodRow(
        method,
        offered_in=scenes,
        integrated_in=scenes,
        capabilities=_CONNECTED,
        deliveries_excluded=("cash_on_delivery",),
    )


_METHODS = (
    MethodRow(
        CREDIT,
        offered_in=SCENES,
        integrated_in=SCENES,
        capabilities=_CONNECTED,
        caps=(
            CapRow("month", 300_000, "scan_to_pay"),
            CapRow("day", 3_000_000),
        ),
        single_cap_minor=5_000_000,
        step_up_from_minor=500_000,
        deliveries_excluded=("cash_on_delivery",),
    ),
    MethodRow(
        MONEY,
        offered_in=SCENES,
        integrated_in=SCENES,
        capabilities=_CONNECTED,
        caps=(CapRow("day", 10_000_000), CapRow("day", 200_000, "scan_to_pay")),
        single_cap_minor=5_000_000,
        step_up_from_minor=1_000_000,
        deliveries_excluded=("cash_on_delivery",),
    ),
    _outside("bank_card", SCENES),
    _outside("alipay", _WALLETS),
    _outside("wechat_pay", _WALLETS),
    MethodRow(
        "huawei_pay",
        offered_in=("mall", "partner_store"),
        integrated_in=("mall",),
        capabilities=("split", "partial_refund"),
        deliveries_excluded=("cash_on_delivery",),
    ),
)
"""Huawei Pay is asked for in partner stores, whose tills are not connected to it."""

_HB_TOTAL_PPM = {3: 23_000, 6: 45_000, 12: 75_000}
"""What 花呗 takes from the buyer over a whole plan, by its number of instalments: the demo's own table."""

_PLANS = (
    PlanRow("pay_later", CREDIT, 1),
    PlanRow("instalment_3", CREDIT, 3, 5_000, min_minor=10_000),
    PlanRow("instalment_6", CREDIT, 6, 5_000, min_minor=10_000),
    PlanRow("instalment_12", CREDIT, 12, 5_000, min_minor=30_000),
    PlanRow("instalment_24", CREDIT, 24, 6_000, min_minor=100_000),
    *(PlanRow("full", method, 1) for method in (MONEY, "bank_card", "alipay", "wechat_pay", "huawei_pay")),
    *(
        PlanRow(f"hb_{count}", "alipay", count, min_minor=10_000, fee_total_ppm=fee_ppm)
        for count, fee_ppm in _HB_TOTAL_PPM.items()
    ),
)


def default_document(from_at: datetime, sponsor_id: UUID | None = None) -> PolicyDocument:
    """The starting policy, its campaigns counted from `from_at`.

    The platform pays six instalments on home appliances for a year; the merchant `sponsor_id`, if given, pays three
    on all its goods for 75 days with a small budget, so that a campaign that has ended can be seen too.
    """
    campaigns = [
        InterestFreeRow(
            "appliance-6",
            "platform",
            ("instalment_6",),
            from_at,
            from_at + timedelta(days=365),
            categories=("appliance",),
            budget_minor=20_000_000,
            uses_per_consumer=2,
        )
    ]
    if sponsor_id is not None:
        campaigns.append(
            InterestFreeRow(
                "shop-3",
                "merchant",
                ("instalment_3",),
                from_at,
                from_at + timedelta(days=75),
                merchant_id=sponsor_id,
                budget_minor=500_000,
            )
        )
    return PolicyDocument(
        methods=_METHODS,
        plans=_PLANS,
        interest_free=tuple(campaigns),
        forbidden_words=("套现", "代付返现", "刷单"),
        numbers=Numbers(),
        tables=TABLES,
    )
