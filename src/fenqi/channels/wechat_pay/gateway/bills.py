"""Bills: an address with a SHA-1, good for 30 seconds, and behind it the day's trade or fund-flow file.

The rows of the trade bill are the house's, planted differences included; the fund flow is what really happened.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fenqi.channels.gateway import billing
from fenqi.channels.gateway.house import House, beijing
from fenqi.channels.gateway.side import Account, Row
from fenqi.channels.wechat_pay import bill, fund_flow
from fenqi.channels.wechat_pay.gateway.door import CHANNEL, Answer, Asked, Refused, prove
from fenqi.channels.wechat_pay.gateway.orders import openid
from fenqi.kernel.clock import business_date, epoch_ms, start_of_day

GOOD_FOR = timedelta(seconds=30)
READY_AFTER = timedelta(hours=10)
KEPT_DAYS = 92
_TIME = "%Y-%m-%d %H:%M:%S"


class _Token(msgspec.Struct, array_like=True):
    account_id: str
    kind: str
    which: str
    day_on: date
    is_packed: bool
    until_ms: int


def trade_bill(house: House, asked: Asked) -> Answer:
    """The address of a day's trade bill."""
    return _address(house, asked, "trade", asked.query.get("bill_type", "ALL"), ("ALL", "SUCCESS", "REFUND"))


def fund_flow_bill(house: House, asked: Asked) -> Answer:
    """The address of a day's fund-flow bill. Only the basic account has money here."""
    which = asked.query.get("account_type", "BASIC")
    return _address(house, asked, "flow", which, ("BASIC", "OPERATION", "FEES"))


def _address(house: House, asked: Asked, kind: str, which: str, known: tuple[str, ...]) -> Answer:
    packing = asked.query.get("tar_type", "")
    if which not in known or packing not in ("", "GZIP"):
        raise Refused("PARAM_ERROR", "账单类型、资金账户类型或压缩类型有误")
    day_on = _day(house, asked.query.get("bill_date", ""))
    raw = _file(house, asked.account, kind, which, day_on)
    if raw is None:
        raise Refused("NO_STATEMENT_EXIST", "请求的账单文件不存在")
    until_ms = epoch_ms(house.clock.now() + GOOD_FOR)
    token = _sealed(asked.account, _Token(asked.account.account_id, kind, which, day_on, packing == "GZIP", until_ms))
    url = f"{house.endpoint(CHANNEL)}/v3/billdownload/file?token={token}"
    if packing:
        url += "&tartype=gzip"
    digest = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    return 200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url}


def _day(house: House, text: str) -> date:
    today_on = business_date(house.clock.now())
    try:
        day_on = date.fromisoformat(text)
    except ValueError as error:
        raise Refused("PARAM_ERROR", "bill_date格式有误") from error
    if day_on >= today_on or (today_on - day_on).days > KEPT_DAYS:
        raise Refused("INVALID_REQUEST", "bill_date仅支持三个月内、当日之前的日期")
    if house.clock.now() < start_of_day(day_on + timedelta(days=1)) + READY_AFTER:
        raise Refused("STATEMENT_CREATING", "账单生成中")
    return day_on


async def file(house: House, request: Request) -> Response:
    """The file behind an address; the asker must be the one who got it, the answer bears no signature."""
    try:
        asked = prove(house, request, await request.body())
        token = _opened(asked.account, asked.query.get("token", ""))
        if epoch_ms(house.clock.now()) > token.until_ms:
            raise Refused("INVALID_REQUEST", "账单下载地址已失效，请重新申请")
    except Refused as refused:
        body = msgspec.json.encode({"code": refused.code, "message": refused.message})
        return Response(body, refused.status, media_type="application/json")
    raw = _file(house, asked.account, token.kind, token.which, token.day_on) or b""
    return Response(gzip.compress(raw, mtime=0) if token.is_packed else raw, media_type="application/octet-stream")


def _sealed(account: Account, token: _Token) -> str:
    raw = msgspec.json.encode(token)
    mark = hmac.digest(account.values["api_v3_key"].encode(), raw, "sha256")[:16]
    return base64.urlsafe_b64encode(mark + raw).decode().rstrip("=")


def _opened(account: Account, text: str) -> _Token:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Refused("INVALID_REQUEST", "账单下载地址有误") from error
    mark = hmac.digest(account.values["api_v3_key"].encode(), raw[16:], "sha256")[:16]
    if not hmac.compare_digest(mark, raw[:16]):
        raise Refused("NO_AUTH", "账单下载地址不属于该商户")
    return msgspec.json.decode(raw[16:], type=_Token)


def _file(house: House, account: Account, kind: str, which: str, day_on: date) -> bytes | None:
    if kind == "flow":
        rows = billing.rows(house.book, account, day_on) if which == "BASIC" else ()
        return written_flow(house, account, day_on, rows) if rows else None
    wanted = {"ALL": ("payment", "refund"), "SUCCESS": ("payment",), "REFUND": ("refund",)}[which]
    rows = tuple(row for row in house.bill_rows(account, day_on) if row.kind in wanted)
    return written(account, rows) if rows else None


def written(account: Account, rows: Sequence[Row]) -> bytes:
    """The trade bill's file: UTF-8 with a byte order mark, lines ended by CR LF."""
    lines = [bill.HEADING, *(_line(account, row) for row in rows), bill.TOTALS_HEADING]
    payments = [row for row in rows if row.kind == "payment"]
    paid = sum(row.amount_minor for row in payments)
    refunded = -sum(row.amount_minor for row in rows if row.kind == "refund")
    fee = -sum(row.fee_minor for row in rows)
    totals = (str(len(rows)), _yuan(paid), _yuan(refunded), "0.00", _fee(fee), _yuan(paid), _yuan(refunded))
    return ("\ufeff" + "\r\n".join([*lines, _ticked(totals)]) + "\r\n").encode()


def _line(account: Account, row: Row) -> str:
    trade, refund = row.trade, row.refund
    of_refund = (
        (refund.refund_no, refund.out_refund_no, _yuan(-row.amount_minor), "0.00", "ORIGINAL",
         "SUCCESS" if refund.state == "succeeded" else "PROCESSING")
        if refund is not None
        else ("0", "0", "0.00", "0.00", "", "")
    )  # fmt: skip
    paid = _yuan(row.amount_minor if refund is None else 0)
    back = _yuan(-row.amount_minor if refund is not None else 0)
    return _ticked(
        (
            beijing(row.at, _TIME), account.values["appid"], account.values["mchid"], "0", "", trade.trade_no,
            trade.out_no, openid(trade), trade.extra["trade_type"], "SUCCESS" if refund is None else "REFUND",
            "OTHERS", trade.currency, paid, "0.00", *of_refund, trade.subject, trade.extra["attach"],
            _fee(-row.fee_minor), "0.60%", paid, back, "",
        )
    )  # fmt: skip


def written_flow(house: House, account: Account, day_on: date, rows: Sequence[Row]) -> bytes:
    """The fund-flow file of the basic account: each payment, its fee, each refund, with the balance after it."""
    moves = [move for row in rows for move in _moves(row)]
    balance = _closing(house, account, day_on) - sum(amount for _, amount, _, _ in moves)
    lines = []
    for number, (row, amount, kind, note) in enumerate(moves):
        balance += amount
        business_no = row.refund.refund_no if row.refund else row.trade.trade_no
        voucher = row.refund.out_refund_no if row.refund else row.trade.out_no
        lines.append(
            _ticked(
                (
                    beijing(row.at, _TIME), business_no, f"{row.trade.trade_no}{number:04d}",
                    "交易" if row.refund is None else "退款", kind, fund_flow.IN if amount >= 0 else fund_flow.OUT,
                    _yuan(abs(amount)), _yuan(balance), f"{account.values['mchid']}API", note, voucher,
                )
            )
        )  # fmt: skip
    came, went = [m[1] for m in moves if m[1] >= 0], [-m[1] for m in moves if m[1] < 0]
    totals = (str(len(moves)), str(len(came)), _yuan(sum(came)), str(len(went)), _yuan(sum(went)))
    text = "\r\n".join([fund_flow.HEADING, *lines, fund_flow.TOTALS_HEADING, _ticked(totals)])
    return ("\ufeff" + text + "\r\n").encode()


def _moves(row: Row) -> list[tuple[Row, int, str, str]]:
    """(row, fen in or out, kind, note) of what one row did to the account."""
    if row.refund is not None:
        note = f"退款总金额{_yuan(-row.amount_minor)}元;含手续费{_yuan(row.fee_minor)}元"
        return [(row, row.amount_minor + row.fee_minor, "退款", note)]
    fee = [(row, row.fee_minor, "扣除交易手续费", "")] if row.fee_minor else []
    return [(row, row.amount_minor, "交易", ""), *fee]


def _closing(house: House, account: Account, day_on: date) -> int:
    """The balance at the day's end: what is there now, less all that came after."""
    now, day = house.book.account(CHANNEL, account.account_id), day_on + timedelta(days=1)
    assert now is not None
    after = 0
    while day <= business_date(house.clock.now()):
        after += sum(row.amount_minor + row.fee_minor for row in billing.rows(house.book, account, day))
        day += timedelta(days=1)
    return now.balance_minor - after


def _ticked(values: Sequence[str]) -> str:
    return ",".join(f"`{value}" for value in values)


def _yuan(minor: int) -> str:
    sign, rest = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


def _fee(minor: int) -> str:
    return f"{_yuan(minor)}000"
