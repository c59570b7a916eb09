"""A charge in Alipay's words: the biz_content of each way, and what stands against a charge before any call.

Pure but for the time in the signature of a handover.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fenqi.channels.alipay.text import beijing, yuan_text
from fenqi.channels.alipay.wire import signed_params, v2_url
from fenqi.channels.contract import Capabilities, Charge, Handover, Passage

CAPABILITIES = Capabilities(
    ways={"web": "page", "wap": "wap", "app": "app"},
    min_minor=1,
    max_minor=10_000_000_000,
    refund_within_days=365,
    refund_days=(0, 3),
    instalments=(3, 6, 12),
    fee_ppm=6_000,
)
"""花呗分期 has 3, 6 or 12 instalments and nothing between (products.md, AL3). WeChat's client blocks Alipay."""

METHODS: Mapping[str, tuple[str, str]] = {
    "page": ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    "wap": ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
    "app": ("alipay.trade.app.pay", "QUICK_MSECURITY_PAY"),
    "qr": ("alipay.trade.precreate", "FACE_TO_FACE_PAYMENT"),
}
"""Way → method and product code. Only `qr` is a call of ours; the others are signed here and carried by the buyer."""

_UNWANTED = re.compile(r"[/=&\x00-\x1f\x7f]+")
SUBJECT_MOST = 128


def precheck(charge: Charge) -> tuple[str, ...]:
    """Codes of the dictionary that stand against a charge, in the dictionary's order."""
    against = []
    if charge.amount_minor < CAPABILITIES.min_minor:
        against.append("AMOUNT_BELOW_MIN")
    if charge.amount_minor > CAPABILITIES.max_minor:
        against.append("AMOUNT_ABOVE_MAX")
    if charge.currency not in CAPABILITIES.currencies:
        against.append("CURRENCY_NOT_SUPPORTED")
    if charge.instalments != 1 and charge.instalments not in CAPABILITIES.instalments:
        against.append("PLAN_TERM_NOT_OFFERED")
    if charge.way not in METHODS:
        against.append("CLIENT_UNSUPPORTED")
    return tuple(against)


def biz_content(charge: Charge) -> dict[str, Any]:
    """The business parameters of a charge. `time_expire` is absolute, so a repeat doesn't live longer."""
    content: dict[str, Any] = {
        "out_trade_no": charge.attempt_no,
        "total_amount": yuan_text(charge.amount_minor),
        "subject": subject(charge.subject),
        "product_code": METHODS[charge.way][1],
        "time_expire": beijing(charge.expires_at),
    }
    if charge.way == "wap" and charge.return_url:
        content["quit_url"] = charge.return_url
    if charge.instalments > 1:
        content["enable_pay_channels"] = "pcreditpayInstallment"
        content["extend_params"] = {
            "hb_fq_num": str(charge.instalments),
            "hb_fq_seller_percent": "100" if charge.seller_pays_instalments else "0",
        }
    return content


def subject(text: str) -> str:
    """A subject that Alipay takes: without `/`, `=`, `&` and control characters, at most 128 characters, not empty."""
    return _UNWANTED.sub(" ", text).strip()[:SUBJECT_MOST] or "order"


def handover(passage: Passage, charge: Charge) -> Handover:
    """The signed address (page, wap) or order string (app) with which the buyer opens the trade at Alipay."""
    method, _ = METHODS[charge.way]
    params = signed_params(
        passage, method, biz_content(charge), notify_url=charge.notify_url,
        return_url="" if charge.way == "app" else charge.return_url,
    )  # fmt: skip
    if charge.way == "app":
        return Handover("app", fields={"order_string": urlencode(params)})
    return Handover("redirect", url=f"{v2_url(passage)}?{urlencode(params)}")
