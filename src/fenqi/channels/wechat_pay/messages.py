"""What WeChat Pay says of a trade and of a refund, in answers and notices alike, and what that means in our results."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from fenqi.channels.contract import (
    Declined,
    Paid,
    Pending,
    Refunded,
    RefundFailed,
    RefundPending,
    Unknown,
)
from fenqi.channels.wechat_pay import codes

At = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant with its offset; one without is no instant."""


class Amount(msgspec.Struct, frozen=True):
    """Fen. `total` is the order's amount; `payer_total` what was left of it after the channel's own coupons."""

    total: int = 0
    currency: str = "CNY"
    payer_total: int | None = None
    refund: int = 0


class Payer(msgspec.Struct, frozen=True):
    """Who paid, as this app knows him."""

    openid: str = ""


class Transaction(msgspec.Struct, frozen=True):
    """A trade."""

    mchid: str
    out_trade_no: str
    trade_state: str
    appid: str = ""
    transaction_id: str = ""
    trade_state_desc: str = ""
    success_time: At | None = None
    amount: Amount | None = None
    payer: Payer | None = None


class RefundAnswer(msgspec.Struct, frozen=True):
    """A refund, as calls answer it."""

    out_refund_no: str
    out_trade_no: str
    status: str
    amount: Amount
    refund_id: str = ""
    success_time: At | None = None
    create_time: At | None = None


class RefundNotice(msgspec.Struct, frozen=True):
    """A refund, as notices tell it."""

    mchid: str
    out_refund_no: str
    out_trade_no: str
    refund_status: str
    amount: Amount
    refund_id: str = ""
    success_time: At | None = None


def trade_result(told: Transaction) -> Paid | Declined | Pending | Unknown:
    """A trade in our words; a state that the protocol doesn't have is `Unknown`."""
    if told.trade_state in codes.HAS_PAID:
        return _paid(told)
    if told.trade_state in codes.WAITING:
        return Pending()
    over = codes.OVER.get(told.trade_state)
    if over is None:
        return Unknown(f"a trade in state {told.trade_state!r}")
    return Declined(told.trade_state, over.reason, told.trade_state_desc, over.kind, over.fault)


def _paid(told: Transaction) -> Paid | Unknown:
    if told.amount is None or told.success_time is None or not told.transaction_id:
        return Unknown("a paid trade without amount, time or number")
    return Paid(
        channel_no=told.transaction_id, amount_minor=told.amount.total, paid_at=utc(told.success_time),
        currency=told.amount.currency, payer_hint=masked(told.payer.openid) if told.payer else "",
    )  # fmt: skip


def refund_result(
    status: str, refund_id: str, amount_minor: int, at: datetime | None
) -> Refunded | RefundPending | RefundFailed | Unknown:
    """A refund in our words; `at`: when it was done."""
    if status == "PROCESSING":
        return RefundPending(refund_id)
    if status == "SUCCESS":
        return Unknown("a refund done at no time") if at is None else Refunded(refund_id, amount_minor, utc(at))
    ended = codes.REFUND_ENDED.get(status)
    if ended is None:
        return Unknown(f"a refund in state {status!r}")
    return RefundFailed(status, ended.reason)


def masked(openid: str) -> str:
    """An openid as it may be shown: its first and last four characters."""
    return f"{openid[:4]}…{openid[-4:]}" if len(openid) > 8 else openid[:1] + "…" * bool(openid)


def utc(at: datetime) -> datetime:
    """An instant in UTC; the channel writes them with its own offset."""
    return at.astimezone(UTC)
