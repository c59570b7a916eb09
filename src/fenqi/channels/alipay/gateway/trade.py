"""What Alipay's methods do with a trade: open, ask, close, refund, by the rules and codes of its documents.

Each method takes its business parameters and gives the answer's values, or raises `Refused`; signing is elsewhere.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fenqi.channels.alipay.gateway.words import Refused
from fenqi.channels.alipay.text import beijing, fen, instant, yuan_text
from fenqi.channels.gateway.house import House, NoRefund, digits
from fenqi.channels.gateway.house import beijing as clock_text
from fenqi.channels.gateway.side import Account, Refund, Trade

CHANNEL = "alipay"
replace = msgspec.structs.replace
Values = Mapping[str, Any]
Common = Mapping[str, str]
Method = Callable[[House, Account, Values, Common], dict[str, Any]]

PRODUCTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "alipay.trade.page.pay": ("page", frozenset({"FAST_INSTANT_TRADE_PAY"})),
    "alipay.trade.wap.pay": ("wap", frozenset({"QUICK_WAP_WAY", "QUICK_WAP_PAY"})),
    "alipay.trade.app.pay": ("app", frozenset({"QUICK_MSECURITY_PAY", ""})),
    "alipay.trade.precreate": ("qr", frozenset({"FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE", ""})),
}
"""Method → our word for the way, and the product codes that it takes."""

OPENED = "opened"
"""Set in a trade's `extra` once the buyer was at it. Before that Alipay has no such trade."""

LIVES = {"qr": timedelta(hours=2)}
LIVES_ELSE = timedelta(days=15)
REFUNDABLE = timedelta(days=365)
_OUT_NO = re.compile(r"\w{1,64}", re.ASCII)
_EXPRESS = re.compile(r"([1-9]\d{0,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_REFUND_CODES = {
    "not_paid": "ACQ.TRADE_STATUS_ERROR", "too_large": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "unfunded": "ACQ.SELLER_BALANCE_NOT_ENOUGH", "conflict": "ACQ.DISCORDANT_REPEAT_REQUEST",
    "not_positive": "ACQ.INVALID_PARAMETER",
}  # fmt: skip


def open_trade(house: House, account: Account, method: str, values: Values, common: Common) -> Trade:
    """The trade that a charge asks for, new or the same again. Raises Refused."""
    way, products = PRODUCTS[method]
    if str(values.get("product_code", "")) not in products:
        raise Refused("ACQ.INVALID_PARAMETER", "product_code")
    now = house.clock.now()
    instalments, seller_pays = _instalments(values)
    asked = Trade(
        f"{clock_text(now, '%Y%m%d')}220014{digits(14)}", CHANNEL, account.account_id, _out_no(values), _amount(values),
        _subject(values), now, _expires_at(values, way, now), way=way, instalments=instalments,
        notify_url=common.get("notify_url", ""), return_url=common.get("return_url", ""),
        code=secrets.token_hex(12) if way == "qr" else "",
        extra={"seller_pays": seller_pays, **({OPENED: "1"} if way != "qr" else {})},
    )  # fmt: skip
    known = house.find(CHANNEL, account.account_id, asked.out_no)
    if known is None:
        if asked.expires_at <= now:
            raise Refused("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR")
        return house.open(asked)[0]
    return _same_again(house, known, asked)


def _same_again(house: House, known: Trade, asked: Trade) -> Trade:
    """A number that is known: the same trade while it waits and nothing about it differs. Raises Refused."""
    if known.state == "paid":
        raise Refused("ACQ.TRADE_HAS_SUCCESS")
    if known.state == "closed":
        raise Refused("ACQ.TRADE_HAS_CLOSE")
    if (known.amount_minor, known.instalments) != (asked.amount_minor, asked.instalments):
        raise Refused("ACQ.CONTEXT_INCONSISTENT")
    return opened(house, known) if asked.extra.get(OPENED) else known


def opened(house: House, trade: Trade) -> Trade:
    """The trade after its buyer has come to it; from now on Alipay has it."""
    if trade.state != "waiting" or trade.extra.get(OPENED):
        return trade
    there = replace(trade, extra={**trade.extra, OPENED: "1"})
    return there if house.book.put_trade(there, was="waiting") else house.trade(trade.trade_no) or trade


def precreate(house: House, account: Account, values: Values, common: Common) -> dict[str, Any]:
    """alipay.trade.precreate: a code to scan; the trade is there when somebody does."""
    trade = open_trade(house, account, "alipay.trade.precreate", values, common)
    return {"out_trade_no": trade.out_no, "qr_code": f"{house.endpoint(CHANNEL)}/bax/{trade.code}"}


def query(house: House, account: Account, values: Values, common: Common) -> dict[str, Any]:
    """alipay.trade.query."""
    trade = _trade(house, account, values)
    paid = yuan_text(trade.amount_minor if trade.paid_at else 0)
    answer: dict[str, Any] = {
        "buyer_logon_id": masked(buyer(trade)), "buyer_pay_amount": paid, "buyer_user_id": _user_id(trade),
        "buyer_user_type": "PRIVATE", "invoice_amount": paid, "out_trade_no": trade.out_no, "point_amount": "0.00",
        "receipt_amount": paid, "total_amount": yuan_text(trade.amount_minor), "trade_no": trade.trade_no,
        "trade_status": status(house, trade),
    }  # fmt: skip
    if trade.paid_at:
        answer["send_pay_date"] = beijing(trade.paid_at)
        answer["fund_bill_list"] = [{"amount": yuan_text(trade.amount_minor), "fund_channel": fund_channel(trade)}]
        if trade.instalments > 1:
            answer["hb_fq_pay_info"] = {"user_install_num": str(trade.instalments)}
    return answer


def close(house: House, account: Account, values: Values, common: Common) -> dict[str, Any]:
    """alipay.trade.close: only what waits for its buyer can be closed."""
    trade = house.trade(str(values["trade_no"])) if values.get("trade_no") else None
    trade = trade or house.find(CHANNEL, account.account_id, str(values.get("out_trade_no", "")))
    if trade is not None and not exists(trade) and trade.state == "waiting":
        _paid_at_the_last_moment(house, trade)
    trade = _trade(house, account, values)
    if trade.state != "waiting":
        raise Refused("ACQ.TRADE_STATUS_ERROR")
    closed = house.close(trade)
    if closed.state != "closed":
        raise Refused("ACQ.TRADE_STATUS_ERROR")
    return {"out_trade_no": trade.out_no, "trade_no": trade.trade_no}


def _paid_at_the_last_moment(house: House, trade: Trade) -> None:
    """The fault close_says_paid of a code that nobody has scanned: the house's own verb is never reached for it."""
    if house.fault(CHANNEL, "close", "close_says_paid", account_id=trade.account_id):
        house.pay(trade.trade_no)


def refund(house: House, account: Account, values: Values, common: Common) -> dict[str, Any]:
    """alipay.trade.refund: the same `out_request_no` again answers the same, with `fund_change` N."""
    trade = _trade(house, account, values)
    request_no = str(values.get("out_request_no") or trade.out_no)
    known = house.book.refund_of(CHANNEL, account.account_id, request_no, trade.trade_no)
    if known is None and status(house, trade) == "TRADE_FINISHED":
        raise Refused("ACQ.TRADE_HAS_FINISHED")
    amount_minor = _amount(values, "refund_amount")
    if known is None and not values.get("out_request_no") and amount_minor != trade.amount_minor:
        raise Refused("ACQ.INVALID_PARAMETER", "out_request_no")
    try:
        done = house.refund(
            trade, request_no, amount_minor, f"{clock_text(house.clock.now(), '%Y%m%d')}{digits(20)}",
            notify_url=trade.notify_url, why=str(values.get("refund_reason", "")),
        )  # fmt: skip
    except NoRefund as no:
        raise Refused(_REFUND_CODES[no.code]) from no
    if done.state == "failed":
        raise Refused("ACQ.CUSTOMER_VALIDATE_ERROR")
    moved = known is None and done.state == "succeeded"
    answer = {
        "buyer_logon_id": masked(buyer(trade)), "buyer_user_id": _user_id(trade), "fund_change": "Y" if moved else "N",
        "out_trade_no": trade.out_no, "refund_fee": yuan_text(refunded_minor(house, trade)), "trade_no": trade.trade_no,
    }  # fmt: skip
    if moved and done.finished_at:
        answer |= {"gmt_refund_pay": beijing(done.finished_at), "send_back_fee": yuan_text(done.amount_minor)}
    return answer


def query_refund(house: House, account: Account, values: Values, common: Common) -> dict[str, Any]:
    """alipay.trade.fastpay.refund.query: of a refund that is not there, not done or failed, it says nothing."""
    trade = _trade(house, account, values)
    request_no = str(values.get("out_request_no", ""))
    if not request_no:
        raise Refused("ACQ.INVALID_PARAMETER", "out_request_no")
    known = house.book.refund_of(CHANNEL, account.account_id, request_no, trade.trade_no)
    if known is None or known.state != "succeeded" or known.finished_at is None:
        return {}
    answer = {
        "out_request_no": request_no, "out_trade_no": trade.out_no, "refund_amount": yuan_text(known.amount_minor),
        "refund_reason": known.why, "refund_status": "REFUND_SUCCESS",
        "total_amount": yuan_text(trade.amount_minor), "trade_no": trade.trade_no,
    }  # fmt: skip
    if "gmt_refund_pay" in values.get("query_options", ()):
        answer["gmt_refund_pay"] = beijing(known.finished_at)
    return answer


def exists(trade: Trade) -> bool:
    """Whether Alipay knows the trade: it was paid, or its buyer has been at it."""
    return trade.state == "paid" or bool(trade.extra.get(OPENED))


def status(house: House, trade: Trade) -> str:
    """Alipay's word for the trade's state."""
    if trade.state == "waiting":
        return "WAIT_BUYER_PAY"
    if trade.state == "closed" or trade.paid_at is None or refunded_minor(house, trade) >= trade.amount_minor:
        return "TRADE_CLOSED"
    return "TRADE_FINISHED" if house.clock.now() - trade.paid_at > REFUNDABLE else "TRADE_SUCCESS"


def refunded_minor(house: House, trade: Trade, until: Refund | None = None) -> int:
    """What really went back of a trade, up to and with one refund."""
    ends = [one for one in house.book.refunds(trade.trade_no) if one.state == "succeeded" and one.finished_at]
    limit = until.finished_at if until is not None else None
    return sum(one.amount_minor for one in ends if limit is None or (one.finished_at and one.finished_at <= limit))


def buyer(trade: Trade) -> str:
    """The buyer's sign-in name at Alipay."""
    return trade.payer or "buyer@example.com"


def masked(name: str) -> str:
    """A sign-in name as merchants see it: 138****5678, or buy***@example.com."""
    head, at, host = name.partition("@")
    return f"{head[:3]}***@{host}" if at else f"{head[:3]}****{head[-4:]}" if len(head) > 7 else f"{head[:1]}***"


def fund_channel(trade: Trade) -> str:
    """Where the money came from."""
    return "PCREDIT" if trade.instalments > 1 else "ALIPAYACCOUNT"


def _user_id(trade: Trade) -> str:
    return "2088" + f"{int.from_bytes(buyer(trade).encode()[-8:].rjust(8, b'0')) % 10**12:012d}"


def _trade(house: House, account: Account, values: Values) -> Trade:
    """The account's trade by `trade_no` (which goes first) or `out_trade_no`. Raises Refused."""
    trade_no, out_no = str(values.get("trade_no") or ""), str(values.get("out_trade_no") or "")
    if not trade_no and not out_no:
        raise Refused("ACQ.INVALID_PARAMETER", "out_trade_no,trade_no不能同时为空")
    trade = house.trade(trade_no) if trade_no else house.find(CHANNEL, account.account_id, out_no)
    if trade is None or trade.account_id != account.account_id or not exists(trade):
        raise Refused("ACQ.TRADE_NOT_EXIST")
    return trade


def _out_no(values: Values) -> str:
    out_no = str(values.get("out_trade_no", ""))
    if _OUT_NO.fullmatch(out_no) is None:
        raise Refused("ACQ.INVALID_PARAMETER", "out_trade_no")
    return out_no


def _amount(values: Values, name: str = "total_amount") -> int:
    try:
        amount_minor = fen(str(values.get(name, "")))
    except ValueError as error:
        raise Refused("ACQ.INVALID_PARAMETER", name) from error
    if amount_minor <= 0:
        raise Refused("ACQ.INVALID_PARAMETER", name)
    if amount_minor > 10_000_000_000:
        raise Refused("ACQ.TOTAL_FEE_EXCEED")
    return amount_minor


def _subject(values: Values) -> str:
    subject = str(values.get("subject", ""))
    if not 0 < len(subject) <= 256 or any(sign in subject for sign in "/=&"):
        raise Refused("ACQ.INVALID_PARAMETER", "subject")
    return subject


def _expires_at(values: Values, way: str, now: datetime) -> datetime:
    """`time_expire` (absolute, Beijing) goes before `timeout_express` (90m, 2h, 15d)."""
    if absolute := str(values.get("time_expire", "")):
        try:
            return instant(absolute if absolute.count(":") == 2 else f"{absolute}:00")
        except ValueError as error:
            raise Refused("ACQ.INVALID_PARAMETER", "time_expire") from error
    if express := str(values.get("timeout_express", "")):
        found = _EXPRESS.fullmatch(express)
        if found is None:
            raise Refused("ACQ.INVALID_PARAMETER", "timeout_express")
        return now + min(timedelta(**{_UNITS[found[2]]: int(found[1])}), LIVES_ELSE)
    return now + LIVES.get(way, LIVES_ELSE)


def _instalments(values: Values) -> tuple[int, str]:
    """花呗分期: the count that the merchant fixed (1: none), and whether the seller pays its fee. Raises Refused."""
    extend = values.get("extend_params") or {}
    if not isinstance(extend, dict):
        raise Refused("ACQ.INVALID_PARAMETER", "extend_params")
    count, percent = str(extend.get("hb_fq_num", "")), str(extend.get("hb_fq_seller_percent", ""))
    if not count:
        return 1, ""
    if count not in ("3", "6", "12") or percent not in ("0", "100"):
        raise Refused("ACQ.INVALID_PARAMETER", "hb_fq_num")
    return int(count), "1" if percent == "100" else ""
