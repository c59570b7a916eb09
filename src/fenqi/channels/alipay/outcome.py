"""What Alipay's verified words mean as a result of ours: states of a trade, outcomes of a refund. Pure.

A value that can't be read, or that speaks of another trade, is `Unknown`: nothing is guessed about money.
"""

from __future__ import annotations

from collections.abc import Mapping

from fenqi.channels.alipay import codes
from fenqi.channels.alipay.text import fen, instant
from fenqi.channels.alipay.wire import Told
from fenqi.channels.contract import (
    Declined,
    Paid,
    Pending,
    Refunded,
    RefundFailed,
    RefundResult,
    Repayable,
    Result,
    Unknown,
)

_PAID = frozenset({"TRADE_SUCCESS", "TRADE_FINISHED"})


def of_query(told: Told, attempt_no: str) -> Result:
    """The state of a trade. Only "no such trade" is believed of an error: every other one tells nothing of the money.

    TRADE_NOT_EXIST (absent): nobody has opened the page, the app or the QR code yet, so nothing was paid; but whoever
    holds the handover can open it until the charge's `expires_at`. It is final only after that instant.
    """
    if told.code:
        if told.is_signed and codes.plain(told.code) == "TRADE_NOT_EXIST":
            return codes.decline(told.code, told.message)
        return Unknown(f"{told.code}: {told.message}")
    if told.text("out_trade_no") != attempt_no:
        return Unknown("the answer is about another trade")
    try:
        return of_trade(told.values, "send_pay_date")
    except ValueError as error:
        return Unknown(str(error))


def of_trade(values: Mapping[str, object], paid_at: str) -> Paid | Declined | Pending:
    """A trade's state from an answer or a notice; `paid_at` names the field that says when. Raises ValueError.

    TRADE_CLOSED with a time of payment was paid and then refunded whole; without one it was never paid.
    """
    state = str(values.get("trade_status", ""))
    channel_no = str(values.get("trade_no", ""))
    if state == "WAIT_BUYER_PAY":
        return Pending(channel_no=channel_no)
    if state == "TRADE_CLOSED" and not values.get(paid_at):
        return Declined("TRADE_CLOSED", "ORDER_CLOSED", "交易关闭", "closed")
    if state not in _PAID and state != "TRADE_CLOSED":
        raise ValueError(f"trade_status {state!r} is not known")
    if not channel_no:
        raise ValueError("a paid trade without a number")
    amount_minor = fen(str(values.get("total_amount", "")))
    refunded_minor = amount_minor if state == "TRADE_CLOSED" else fen(str(values.get("refund_fee") or "0"))
    return Paid(
        channel_no, amount_minor, instant(str(values.get(paid_at, ""))),
        currency=str(values.get("trans_currency") or "CNY"),
        payer_hint=str(values.get("buyer_logon_id") or ""), refunded_minor=refunded_minor,
    )  # fmt: skip


def of_refund(told: Told, asked: Repayable) -> RefundResult | None:
    """What an accepted refund says: Refunded when this call moved the money; None: ask the refund itself."""
    if told.text("out_trade_no") != asked.attempt_no:
        return Unknown("the answer is about another trade")
    if told.text("fund_change") != "Y" or not told.text("gmt_refund_pay"):
        return None
    try:
        return Refunded(told.text("trade_no"), asked.amount_minor, instant(told.text("gmt_refund_pay")))
    except ValueError as error:
        return Unknown(str(error))


def of_refund_query(told: Told, asked: Repayable) -> RefundResult:
    """What became of a refund. An answer without `refund_status` says that there is none, that it failed, or that it
    is not done yet: asking for it again with the same number is safe, and tells which."""
    if told.code:
        if told.is_signed and codes.plain(told.code) in ("TRADE_NOT_EXIST", "REFUND_NOT_EXIST"):
            return RefundFailed(told.code, "REFUND_REJECTED", told.message, absent=True)
        return Unknown(f"{told.code}: {told.message}")
    state = told.text("refund_status")
    if not state and not told.text("refund_amount"):
        return RefundFailed("REFUND_NOT_EXIST", "REFUND_REJECTED", told.message, absent=True, again=True)
    if told.text("out_request_no") not in ("", asked.refund_no):
        return Unknown("the answer is about another refund")
    if state not in ("", "REFUND_SUCCESS"):
        return Unknown(f"refund_status {state!r} is not known")
    return _refunded(told, asked)


def _refunded(told: Told, asked: Repayable) -> RefundResult:
    try:
        amount_minor = fen(told.text("refund_amount"))
        at = instant(told.text("gmt_refund_pay"))
    except ValueError as error:
        return Unknown(str(error))
    if amount_minor != asked.amount_minor:
        return Unknown(f"refund {asked.refund_no} is of {amount_minor} fen there, asked were {asked.amount_minor}")
    return Refunded(told.text("trade_no"), amount_minor, at)


def of_refund_refusal(told: Told) -> RefundResult | None:
    """Why a refund was refused; None for a code that nobody classified: ask whether there is one, then believe it."""
    code = codes.plain(told.code)
    if told.is_unsure or not told.is_signed:
        return Unknown(f"{told.code}: {told.message}")
    if code == "TRADE_NOT_EXIST":
        return RefundFailed(told.code, "REFUND_REJECTED", told.message, absent=True)
    if code not in codes.REFUNDS:
        return None
    reason, again = codes.REFUNDS[code]
    return RefundFailed(told.code, reason, told.message, again=again)
