"""The demo's cast: somebody in every state of the dictionary, with an order ready whose cashier says what it is.

`cast.csv` says who they are and what the cashier says of which method; the parts here, how they live and what they buy.
"""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import resources
from typing import NamedTuple

from fenqi.credit import LineState
from fenqi.customer import RealName, Region
from fenqi.flows import shop
from fenqi.seed import lives, lives_outside, lives_risk
from fenqi.seed.goods import BLOCKED_TITLE, GIFT, PRESALE
from fenqi.seed.lives import Life, flagged, locked, marked, with_line
from fenqi.seed.stage import MIDDLE, READY_FOR, Basket, Pick, Stage

_PHONE = Basket((Pick("phone", 3_600),))
_SCAN = Basket((Pick("tea", 32, "jiejiao", 10),), "scan_to_pay", "pick_up")
_LAPTOP = Basket((Pick("laptop", 6_500),), "instalment_mall")


class Part(NamedTuple):
    """How a member lives, what they want to buy, and as whom they sign up."""

    life: Life = with_line()
    basket: Basket = _PHONE
    age: int | None = None
    is_student: bool = False
    real_name: bool = True
    card: bool = True
    pay_password: bool = True
    document_lapsed: bool = False
    wallet: bool = True
    owns_shop: bool = False
    same_person_as: str | None = None
    then: Callable[[Stage], Awaitable[None]] | None = None
    """What happens after the order is placed."""
    placed_hours_ago: int = 0
    waits: timedelta = READY_FOR
    """How long the ready order can be paid."""
    currency: str = "CNY"
    card_says: str = ""
    """What the bound card's bank answers every payment with, in ISO 8583; empty: it pays."""
    at_channel: bool = False
    """Whether this life needs payment channels."""


class Member(NamedTuple):
    """Somebody of the cast. `code` is what the cashier says of `method` with `plan`; None: everything is in order."""

    name: str
    group: str
    method: str
    plan: str
    code: str | None
    label_zh: str
    label_en: str
    part: Part


_PARTS = {
    "ready": Part(lives.ready, Basket((Pick("phone", 4000),))),
    "short": Part(lives.short, Basket((Pick("phone", 3900),), "instalment_mall")),
    "gold": Part(basket=Basket((Pick("jewellery", 2500),))),
    "mixed-cart": Part(
        basket=Basket(
            (
                Pick("phone", 3000),
                Pick("gift_card", 200),
            )
        )
    ),
    "gift": Part(
        basket=Basket(
            (
                Pick("phone", 3000),
                Pick("phone", 0, sku_id=GIFT),
            )
        )
    ),
    "overseas": Part(basket=Basket((Pick("overseas", 250, "huanqiu"),), scene="instalment_mall")),
    "subscription": Part(basket=Basket((Pick("membership", 25, "shuyu"),), delivery="virtual")),
    "enterprise": Part(basket=Basket((Pick("laptop", 4500),), buyer_kind="enterprise")),
    "presale": Part(basket=Basket((Pick("phone", 200, "xingye", sku_id=PRESALE),))),
    "below-minimum": Part(basket=Basket((Pick("snack", 70, "fenqi"),))),
    "above-maximum": Part(basket=Basket((Pick("phone_topup", 60, "shuyu", 9),), delivery="virtual")),
    "term": Part(basket=Basket((Pick("tea", 150, "fenqi", 3),))),
    "cash-on-delivery": Part(basket=Basket((Pick("phone", 3000),), delivery="cash_on_delivery")),
    "currency": Part(basket=Basket((Pick("phone", 3000),)), currency="USD"),
    "blocked-words": Part(basket=Basket((Pick("audio", 50, "xingye", sku_id=BLOCKED_TITLE),))),
    "virtual-suspended": Part(
        flagged(virtual_suspended=True), Basket((Pick("phone_topup", 60, "shuyu"),), delivery="virtual")
    ),
    "coupon-bound": Part(basket=Basket((Pick("phone", 3000),), coupon={"methods": ("money_account",)})),
    "coupon-exclusive": Part(basket=Basket((Pick("phone", 3000),), coupon={"combines_with_credit": False})),
    "free-used": Part(lives.free_uses_spent, Basket((Pick("washer", 1500, "fenqi"),))),
    "free-over": Part(basket=Basket((Pick("sofa", 2000, "muzuo"),))),
    "trade-in": Part(basket=Basket((Pick("fridge", 2400, "fenqi"),))),
    "huawei": Part(with_line(MIDDLE), Basket((Pick("bag", 680, "yuanshan"),), "partner_store", "pick_up")),
    "alipay": Part(with_line(), Basket((Pick(),), "instalment_mall")),
    "not-opened": Part(lives.newcomer),
    "pending": Part(lives.pending),
    "rejected": Part(lives.rejected),
    "not-activated": Part(lives.not_activated),
    "self-locked": Part(lives.self_locked),
    "dormant": Part(locked(LineState.DORMANT_LOCKED)),
    "pin-locked": Part(locked(LineState.PIN_LOCKED, 2)),
    "frozen": Part(lives.frozen),
    "closed-by-user": Part(lives.closed_by_user),
    "closed-by-lender": Part(lives.closed_by_lender),
    "agreement-expired": Part(lives.agreement_expired),
    "consent-withdrawn": Part(lives.consent_withdrawn),
    "other-account": Part(lives.other_account, same_person_as="ready"),
    "student": Part(lives.newcomer, is_student=True, age=20),
    "minor": Part(lives.newcomer, age=16),
    "senior": Part(age=68),
    "hong-kong": Part(marked(region=Region.HK)),
    "reduced": Part(lives.reduced),
    "partly-frozen": Part(lives.partly_frozen),
    "overdrawn": Part(lives.overdrawn),
    "held": Part(lives.held),
    "temporary-lapsed": Part(lives.temporary_lapsed),
    "temporary-whole": Part(lives.temporary_in_one_sum),
    "furniture": Part(lives.dedicated),
    "sub-limit": Part(lives.sub_limit_full),
    "many-loans": Part(lives.many_loans),
    "day-cap": Part(lives.day_cap),
    "month-cap": Part(lives.month_cap, _SCAN),
    "single-cap": Part(basket=Basket((Pick("laptop", 7000, "fenqi", 8),), "instalment_mall")),
    "overdue": Part(lives.overdue),
    "overdue-cleared": Part(lives.overdue_cleared),
    "overdue-elsewhere": Part(flagged(overdue_with_others=True)),
    "disputed": Part(flagged(dispute_case="D-2026-0117")),
    "collections": Part(lives.collections),
    "hardship": Part(lives.hardship),
    "no-name": Part(lives.newcomer, real_name=False, wallet=False),
    "name-mismatch": Part(marked(real_name=RealName.MISMATCH)),
    "document-expired": Part(document_lapsed=True),
    "phone-unreachable": Part(marked(phone_reachable=False)),
    "no-pay-password": Part(pay_password=False),
    "pay-password-locked": Part(lives.pay_password_locked),
    "step-up": Part(basket=_LAPTOP),
    "sms-limit": Part(lives.sms_limit, _LAPTOP),
    "child-mode": Part(marked(child_mode=True)),
    "balance-short": Part(lives.balance_short),
    "no-card": Part(lives.newcomer, card=False),
    "no-wallet": Part(lives.newcomer, wallet=False),
    "switch-off": Part(lives.switch_off),
    "wallet-frozen": Part(lives.wallet_frozen),
    "seller-without": Part(basket=Basket((Pick("phone", 3000, "yunshan"),))),
    "seller-kind": Part(basket=Basket((Pick("camera", 6000, "xingye"),))),
    "seller-frozen": Part(basket=Basket((Pick("cycling", 2600, "shanye"),))),
    "shop-owner": Part(basket=Basket((Pick("television", 2600, "linji"),)), owns_shop=True),
    "price-changed": Part(basket=Basket((Pick("stroller", 800, "xiaolu"),)), then=lives.raise_price),
    "order-expired": Part(basket=Basket((Pick("phone", 3000),)), placed_hours_ago=2, waits=shop.PAY_WINDOW),
    "order-closed": Part(basket=Basket((Pick("phone", 3000),)), then=lives.close_order),
    "card-short": Part(lives_outside.card_refused("51"), Basket((Pick("phone", 3000),)), at_channel=True),
    "card-expired": Part(lives_outside.card_refused(), Basket((Pick("phone", 3000),)), card_says="54", at_channel=True),
    "card-limit": Part(lives_outside.card_refused("61"), Basket((Pick("phone", 3000),)), at_channel=True),
    "bank-silent": Part(
        with_line(yuan=6_000),
        Basket((Pick("phone", 3000),)),
        then=lives_outside.press_card,
        card_says="09",
        at_channel=True,
    ),
    "channel-rests": Part(
        lives_outside.resting, Basket((Pick("bag", 680, "yuanshan"),), "partner_store", "pick_up"), at_channel=True
    ),
    "down-payment": Part(lives_outside.narrow, Basket((Pick("phone", 3000),)), at_channel=True),
    "paid-twice": Part(
        with_line(yuan=6_000),
        Basket((Pick("phone", 3000),)),
        then=lives_outside.pay_twice,
        placed_hours_ago=1,
        at_channel=True,
    ),
    "refund-stuck": Part(
        basket=Basket((Pick("phone", 3000),)), then=lives_outside.refund_stuck, placed_hours_ago=1, at_channel=True
    ),
    "student-parent": Part(lives.student_parent, Basket((Pick("sofa", 4_500, "muzuo"),), "instalment_mall")),
    "new-device": Part(lives_risk.new_device),
    "takeover": Part(lives_risk.takeover),
    "new-address": Part(lives_risk.new_address, Basket((Pick("phone", 3_600),), address=lives_risk.WAREHOUSE)),
    "shared-card": Part(lives_risk.shared_card),
    "cash-out": Part(lives_risk.cash_out, Basket((Pick("kitchen_appliance", 300, "fenqi_home"),))),
    "changed-phone": Part(lives_risk.churned),
    "sends-back": Part(lives_risk.sends_back),
    "too-often": Part(lives_risk.refused_often),
    "in-review": Part(lives_risk.in_review),
    "on-the-list": Part(lives_risk.blocked),
    "near-a-fraud": Part(lives_risk.near_a_fraud),
    "part-down": Part(with_line(yuan=6_000), Basket((Pick("television", 2_600, "fenqi", 4),))),
    "order-paid": Part(basket=Basket((Pick("phone", 3000),)), then=lives.pay_order),
}


def _members() -> tuple[Member, ...]:
    text = resources.files(__package__).joinpath("cast.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(Member(**row | {"code": row["code"] or None, "part": _PARTS[row["name"]]}) for row in rows)


MEMBERS: tuple[Member, ...] = _members()
"""Everybody, in the order in which they are offered."""

GROUPS: dict[str, tuple[str, str]] = {
    "start": ("从这里开始", "Start here"),
    "account": ("信用账户", "The credit line"),
    "limit": ("额度", "Limits"),
    "repayment": ("还款", "Repayment"),
    "identity": ("身份与验证", "Identity"),
    "money": ("小金库", "The money account"),
    "goods": ("商品与方案", "Goods and plans"),
    "seller": ("商家", "Sellers"),
    "order": ("订单状态", "The order's state"),
    "risk": ("风控", "Risk"),
    "channel": ("支付渠道", "Payment channels"),
    "platform": ("平台", "The platform"),
}
"""Headings by group, Chinese and English."""
