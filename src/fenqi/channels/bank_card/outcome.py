"""What an answer or a notice of UnionPay's comes to, in the contract's few words. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from fenqi.channels.bank_card import codes, sign
from fenqi.channels.bank_card.message import CNY, moment_of, read_short_time, read_time
from fenqi.channels.contract import Declined, Paid, Passage, Pending, Refunded, RefundFailed, RefundPending, Unknown

FRONT_WAYS = frozenset({"page", "wap", "app"})
GRACE = timedelta(minutes=1)
"""How much later than at its time's end a payment may show."""


def payment(
    said: dict[str, str], code: str, message: str, passage: Passage, now: datetime
) -> Paid | Declined | Pending | Unknown:  # fmt: skip
    """A payment of ours by the code of the trade itself (a query's origRespCode, a notice's respCode).

    On UnionPay's page a buyer whose card was refused may take another until payTimeout, so a refusal is `Pending`
    until then; and after it, "what is not 00 or A6 has failed" (UnionPay's own examples). Raises ValueError.
    """
    channel_no = said.get("queryId", "")
    if code in codes.DONE:
        return _paid(said, said.get("orderId", ""), passage)
    if code in codes.UNSURE:
        return Unknown(f"{code} {message}")
    if code in codes.LATE:
        return codes.declined(code, message, kind="closed")
    until = paid_until(said)
    if code in codes.PENDING:
        if until is not None and now >= until + GRACE:
            return Declined(code, "ORDER_EXPIRED", message, "closed")
        return Pending(channel_no=channel_no)
    if until is not None and now < until:
        return Pending(channel_no=channel_no)
    return codes.declined(code, message)


def _paid(said: dict[str, str], number: str, passage: Passage) -> Paid | Unknown:
    try:
        amount_minor = _fen(said["txnAmt"])
        paid_at = happened_at(said, number)
    except (KeyError, ValueError) as error:
        return Unknown(f"paid, but its amount or time can't be read: {error}")
    currency = "CNY" if said.get("currencyCode", CNY) == CNY else f"ISO-{said['currencyCode']}"
    return Paid(said.get("queryId", ""), amount_minor, paid_at, currency, masked(said.get("accNo", ""), passage))


def _fen(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is no amount")
    return int(text)


def happened_at(said: dict[str, str], number: str) -> datetime:
    """When UnionPay carried it out: traceTime, which has no year, else txnTime. Raises ValueError."""
    if trace := said.get("traceTime", ""):
        return read_short_time(trace, moment_of(number))
    return read_time(said["txnTime"])


def paid_until(said: dict[str, str]) -> datetime | None:
    """Until when the buyer may pay on UnionPay's page: what we wrote into reqReserved. None: it needs no page."""
    way, _, until = said.get("reqReserved", "").partition(".")
    return read_time(until) if way in FRONT_WAYS else None


def masked(shown: str, passage: Passage) -> str:
    """The card as a buyer may see it: **** and four digits. `shown`: masked, plain, or encrypted for us."""
    if len(shown) > 40:
        try:
            shown = sign.decrypt(shown, passage.credential.values["private_key"])
        except ValueError:
            return ""
    last = shown[-4:]
    return f"**** {last}" if len(last) == 4 and last.isdigit() else ""


def refund(said: dict[str, str], code: str, message: str) -> Refunded | RefundPending | RefundFailed | Unknown:
    """A refund or void by the code of the trade itself."""
    if code in codes.DONE:
        try:
            return Refunded(said.get("queryId", ""), _fen(said["txnAmt"]), happened_at(said, said["orderId"]))
        except (KeyError, ValueError) as error:
            return Unknown(f"refunded, but its amount or time can't be read: {error}")
    if code in codes.PENDING:
        return RefundPending(said.get("queryId", ""))
    if code in codes.UNSURE:
        return Unknown(f"{code} {message}")
    return codes.refund_failed(code, message)
