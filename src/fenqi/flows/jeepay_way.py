"""Jeepay's `wayCode` and `ifCode` in our words: which method pays, from which client, and how its buyer is led there.

Pure. Ways that need the buyer's bar code at a till, and channels that we have none of, are not here.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

CASHIER = frozenset({"QR_CASHIER", "WEB_CASHIER"})
"""Ways that lead to our own page, where a signed-in buyer chooses how to pay."""


class Way(msgspec.Struct, frozen=True):
    """How a walk-in pays."""

    method: str
    client: str
    way: str
    needs_payer: bool = False
    """Whether the buyer's openid must be named (`channelExtra`)."""


WAYS: Mapping[str, Way] = {
    "ALI_PC": Way("alipay", "web", "page"),
    "ALI_WAP": Way("alipay", "wap", "wap"),
    "ALI_APP": Way("alipay", "app", "app"),
    "ALI_QR": Way("alipay", "web", "qr"),
    "ALI_OC": Way("alipay", "web", "qr"),
    "WX_NATIVE": Way("wechat_pay", "web", "qr"),
    "WX_H5": Way("wechat_pay", "wap", "wap"),
    "WX_APP": Way("wechat_pay", "app", "app"),
    "WX_JSAPI": Way("wechat_pay", "wechat", "jsapi", needs_payer=True),
    "WX_LITE": Way("wechat_pay", "wechat", "jsapi", needs_payer=True),
    "UP_PC": Way("bank_card", "web", "page"),
    "UP_WAP": Way("bank_card", "wap", "wap"),
    "UP_APP": Way("bank_card", "app", "app"),
}
"""`wayCode` → the way. A walk-in has no card with us, so that the evaluation answers UP_* with NO_INSTRUMENT."""

_INTERFACES = {"alipay": "alipay", "wechat_pay": "wxpay", "bank_card": "unionpay"}


def interface_of(method: str) -> str:
    """`ifCode`: the channel's name in the protocol; the house's own methods are "fenqi"."""
    return _INTERFACES.get(method, "fenqi" if method else "")
