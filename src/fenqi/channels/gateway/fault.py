"""The catalogue of faults: what a gateway can be told to do wrong, where each fits, and what can be chosen about it.

`by` says who carries a fault out: `wire` (before the protocol sees the request), `side` (in the protocol's own words),
`house` (in its verbs), `notifier`, or `act` (done once, at the moment it is set).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

FOR_EVER = -1


class Param(msgspec.Struct, frozen=True):
    """One thing to choose about a fault; `default` is what counts when nothing is given."""

    name: str
    default: str
    zh: str
    en: str


class Kind(msgspec.Struct, frozen=True):
    """An entry of the catalogue. `operations` are those that it fits, the first is the form's default."""

    name: str
    by: Literal["wire", "side", "house", "notifier", "act"]
    operations: tuple[str, ...]
    zh: str
    en: str
    about_zh: str
    about_en: str
    params: tuple[Param, ...] = ()


class Fault(msgspec.Struct, frozen=True):
    """A fault that is set: for a channel (or *), an account (or *), operations by a glob pattern, so many times."""

    fault_id: int
    channel: str
    account_id: str
    name: str
    operation: str
    times: int
    """How often it will still happen; FOR_EVER: until it is cleared."""
    params: Mapping[str, str]
    set_at: datetime
    taken: int = 0
    """How often it has happened."""

    def number(self, param: str, default: int) -> int:
        """A parameter as an integer."""
        return int(self.params.get(param) or default)

    def text(self, param: str, default: str = "") -> str:
        """A parameter as it was given."""
        return self.params.get(param) or default


_CALLS = ("*", "pay", "query", "close", "refund", "query_refund", "bill")
_NOTICES = ("notice.*", "notice.payment", "notice.refund")
_SECONDS = "seconds"

CATALOGUE: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "error", "side", _CALLS, "错误码", "error code",
            "用该渠道协议的任一错误码回答，并照常签名。",
            "Answers with any error code of the protocol, properly signed.",
            (
                Param("code", "", "错误码；空则为该渠道的系统错误", "the code; empty: the channel's own system error"),
                Param("sub_code", "", "子错误码", "the sub-code"),
                Param("message", "", "错误说明", "the message"),
                Param("status", "", "HTTP 状态码", "the HTTP status"),
                Param(
                    "when", "before", "before：不处理；after：处理之后才报错",
                    "before: nothing is done; after: done, then the error is told",
                ),
            ),
        ),
        Kind(
            "timeout_before", "wire", _CALLS, "处理前超时", "timeout before",
            "收到请求后什么都不做，也不回答。", "Takes the request, does nothing, and never answers.",
            (Param(_SECONDS, "60", "最多挂起秒数", "hangs at most so many seconds"),),
        ),
        Kind(
            "timeout_after", "wire", _CALLS, "处理后超时", "timeout after",
            "已经处理（例如已扣款），但不回答。", "Does what was asked (takes the money), and never answers.",
            (Param(_SECONDS, "60", "最多挂起秒数", "hangs at most so many seconds"),),
        ),
        Kind(
            "slow", "wire", _CALLS, "缓慢", "slow",
            "等待若干秒之后才处理。", "Waits some seconds before it does anything.",
            (Param(_SECONDS, "3", "秒数", "seconds"),),
        ),
        Kind(
            "down", "wire", _CALLS, "停机", "down",
            "网关不可用：回答 503，或直接断开连接。", "Out of service: answers 503, or drops the connection.",
            (Param("mode", "503", "503 或 drop（断开连接）", "503, or drop (the connection is cut)"),),
        ),
        Kind(
            "garbled", "wire", _CALLS, "乱码", "garbled",
            "已经处理，但回答被截断或改动，验签不通过。",
            "Does what was asked, but the answer arrives altered and can't be verified.",
        ),
        Kind(
            "close_says_paid", "house", ("close",), "关单时已支付", "close says paid",
            "买家恰好在关单之前付了款：关单回答“已支付”。",
            "The buyer pays just before the trade is closed: closing answers that it is paid.",
        ),
        Kind(
            "refund_fails_later", "house", ("refund",), "退款先受理后失败", "refund fails later",
            "退款先被受理，稍后变为失败，钱回到商户账户。",
            "The refund is accepted and fails later; the money stays with the merchant.",
            (Param(_SECONDS, "5", "多少秒之后失败", "fails after so many seconds"),),
        ),
        Kind(
            "merchant_banned", "side", _CALLS, "商户被封", "merchant banned",
            "商户权限被渠道关闭。", "The channel has taken the merchant's permission away.",
        ),
        Kind(
            "rotated_certificate", "act", ("*",), "更换证书", "rotated certificate",
            "网关立即改用新的密钥或证书，商户要换上新凭据才能验签。",
            "The gateway signs with new keys at once; the merchant must take the new credentials to verify.",
        ),
        Kind(
            "duplicate_notice", "notifier", _NOTICES, "重复通知", "duplicated notice",
            "同一条通知同时送达多次。", "The same notice arrives several times at once.",
            (Param("copies", "3", "共送几次", "how often in all"),),
        ),
        Kind(
            "out_of_order_notice", "notifier", _NOTICES, "通知乱序", "out-of-order notice",
            "这条通知被压住，等该交易的下一条通知送出之后才送。",
            "The notice is held back until the trade's next one was sent.",
            (Param(_SECONDS, "3600", "最多压住秒数", "held at most so many seconds"),),
        ),
        Kind(
            "forged_notice", "notifier", _NOTICES, "伪造通知", "forged notice",
            "另送一条签名不对的通知。", "A notice with somebody else's signature is sent as well.",
            (Param("only", "0", "1：不再送真的通知", "1: the true notice is never sent"),),
        ),
        Kind(
            "wrong_amount_notice", "notifier", _NOTICES, "金额不符的通知", "wrong-amount notice",
            "签名正确，但金额与交易不符。", "Properly signed, but of another amount than the trade's.",
            (Param("amount_minor", "", "金额（分）；空则少一分", "amount in fen; empty: one fen less"),),
        ),
        Kind(
            "no_notice", "notifier", _NOTICES, "从不通知", "never-sent notice",
            "通知永远不送，只能靠查询得知。", "The notice is never sent; only a query tells.",
        ),
        Kind(
            "late_notice", "notifier", _NOTICES, "迟到的通知", "late notice",
            "通知晚若干秒才第一次送出。", "The first try comes some seconds late.",
            (Param(_SECONDS, "600", "秒数", "seconds"),),
        ),
        Kind(
            "bill_differences", "house", ("bill",), "账单差异", "bill with differences",
            "当日账单里埋下差异。", "Differences are planted in the day's bill.",
            (Param(
                "plant", "missing,extra,amount,fee,duplicate",
                "missing 少一行、extra 多一行、amount 金额不同、fee 手续费不同、duplicate 重复一行、"
                "missing_refund 少一笔退款",
                "missing, extra, amount, fee, duplicate, missing_refund: one row of each kind named",
            ),),
        ),
    )
}  # fmt: skip

WIRE = tuple(kind.name for kind in CATALOGUE.values() if kind.by == "wire")
NOTIFIER = tuple(kind.name for kind in CATALOGUE.values() if kind.by == "notifier")
