"""What an answer or a callback of Huawei Pay comes to, in the contract's few words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fenqi.channels.contract import (
    Declined,
    Paid,
    Pending,
    Refunded,
    RefundFailed,
    RefundPending,
    Unknown,
)
from fenqi.channels.huawei_pay import codes

PAYMENT_PENDING = frozenset({"TRX_APPLY", "TRX_PROC"})


def payment(said: Mapping[str, Any]) -> Paid | Declined | Pending | Unknown:
    """An order by its orderStatus. `totalAmount` is compared with the charge: what Huawei adds of its own is in it."""
    status, channel_no = said.get("orderStatus"), str(said.get("sysTransOrderNo") or "")
    if status == "TRX_SUCCESS":
        try:
            currency = str(said.get("currency") or "CNY")
            return Paid(channel_no, _fen(said["totalAmount"]), read_time(said["finishTime"]), currency)
        except (KeyError, TypeError, ValueError) as error:
            return Unknown(f"paid, but its amount or time can't be read: {error}")
    if status in PAYMENT_PENDING:
        return Pending(channel_no=channel_no)
    if status == "TRX_FAILED":
        return codes.declined("TRX_FAILED", "")
    return Unknown(f"orderStatus {status} is not known")


def refund(said: Mapping[str, Any]) -> Refunded | RefundPending | RefundFailed | Unknown:
    """A refund by its refundOrderStatus."""
    status, channel_no = (
        said.get("refundOrderStatus"),
        str(said.get("sysRefundOrderNo") or said.get("sysRefundNo") or ""),
    )
    if status == "REFUND_SUCCESS":
        try:
            return Refunded(channel_no, _fen(said["refundAmount"]), read_time(said["finishTime"]))
        except (KeyError, TypeError, ValueError) as error:
            return Unknown(f"refunded, but its amount or time can't be read: {error}")
    if status == "REFUND_CHL_PROC":
        return RefundPending(channel_no)
    if status == "REFUND_FAILED":
        return codes.refund_failed("REFUND_FAILED", "")
    return Unknown(f"refundOrderStatus {status} is not known")


def read_time(text: str) -> datetime:
    """The instant of a yyyy-MM-dd'T'HH:mm:ss.SSSZ. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


def _fen(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is no amount")
    return value
