"""The trade bill: fetched by its address and SHA-1, and read line by line; its totals must be those of its lines.

CSV with a backtick before every value: 27 columns, then a heading and one line of totals. Amounts are yuan with two
decimals, fees with five. A refund stands on the day on which it was accepted.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from fenqi.channels.contract import Bill, BillLine, BillMalformed, BillNotReady, Passage
from fenqi.channels.http import Http
from fenqi.channels.wechat_pay.call import Line, Untold
from fenqi.kernel.clock import ZONE

HEADING = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
TOTALS_HEADING = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
COLUMNS, TOTALS = tuple(HEADING.split(",")), tuple(TOTALS_HEADING.split(","))
_KINDS = {"SUCCESS": "payment", "REFUND": "refund", "REVOKED": "refund"}
_YUAN = re.compile(r"-?\d{1,15}\.\d{2}(0{3})?")
_FILE = "/v3/billdownload/file"


class _Address(msgspec.Struct):
    hash_type: str
    hash_value: str
    download_url: str


class _Totals(msgspec.Struct):
    count: int
    settled_minor: int
    refund_settled_minor: int
    refund_coupons_minor: int
    fee_minor: int
    paid_minor: int
    refunded_minor: int


async def download(line: Line, http: Http, passage: Passage, target: str) -> bytes:
    """The file behind a bill's address, unpacked, its digest compared. Raises BillNotReady.

    The file itself is not signed: what makes it WeChat Pay's is the digest in the signed answer before. It is fetched
    below the passage's endpoint whatever host the address names.
    """
    try:
        said = await line.ask(http, passage, "GET", target, tries=2)
        if said.status != 200:
            raise BillNotReady(f"{said.code}: {said.message}", empty=said.code == "NO_STATEMENT_EXIST")
        address = msgspec.json.decode(said.body, type=_Address)
        place = address.download_url.find(_FILE)
        if place < 0 or address.hash_type != "SHA1":
            raise BillNotReady(f"an address that is none: {address.hash_type} {address.download_url}")
        answer = await line.send(http, passage, "GET", address.download_url[place:], tries=2)
    except Untold as error:
        raise BillNotReady(error.why) from error
    except ValueError as error:
        raise BillNotReady(f"an address that can't be read: {error}") from error
    if answer.status != 200:
        raise BillNotReady(f"the file can't be had: status {answer.status}")
    raw = _unpacked(answer.body)
    if hashlib.sha1(raw, usedforsecurity=False).hexdigest() != address.hash_value.lower():
        raise BillNotReady("the file is not the one that was announced: its SHA-1 differs")
    return raw


def _unpacked(body: bytes) -> bytes:
    try:
        return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    except (OSError, EOFError) as error:
        raise BillNotReady(f"the file can't be unpacked: {error}") from error


def parse(raw: bytes, day_on: date) -> Bill:
    """The bill in a file. In lines, refunds and kept fees are negative; of the totals, only a kept fee is.

    Raises BillMalformed where a line isn't as the protocol says, belongs to another day or merchant, or the totals are
    not those of the lines.
    """
    rows = read_table(raw, COLUMNS, TOTALS)
    cells = [dict(zip(COLUMNS, row, strict=True)) for _, row in rows.lines]
    lines = [_line(number, cell, day_on) for (number, _), cell in zip(rows.lines, cells, strict=True)]
    accounts = {cell["商户号"] for cell in cells}
    if len(accounts) > 1:
        raise BillMalformed(f"lines of {len(accounts)} merchants")
    totals = _totals(rows.totals)
    _compare(totals, cells, lines)
    payments = sum(line.kind == "payment" for line in lines)
    return Bill(
        account=next(iter(accounts), ""), day_on=day_on, lines=tuple(lines), payments=payments,
        paid_minor=totals.paid_minor, refunds=len(lines) - payments, refunded_minor=totals.refunded_minor,
        fee_minor=-totals.fee_minor,
    )  # fmt: skip


class Table(msgspec.Struct):
    """The lines of a backtick CSV with their numbers in the file, and the values of its totals."""

    lines: list[tuple[int, list[str]]]
    totals: list[str]


def read_table(raw: bytes, columns: Sequence[str], totals: Sequence[str]) -> Table:
    """Heading, lines, heading of the totals, totals. UTF-8, with or without a byte order mark. Raises BillMalformed."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BillMalformed(f"not UTF-8: {error}") from error
    numbered = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(numbered) < 3 or _heading(numbered[0][1]) != list(columns):
        raise BillMalformed("line 1 is not the heading of this bill")
    if _heading(numbered[-2][1]) != list(totals):
        raise BillMalformed(f"line {numbered[-2][0]} is not the heading of the totals")
    lines = list(_values(numbered[1:-2], len(columns)))
    ((_, last),) = _values(numbered[-1:], len(totals))
    return Table(lines, last)


def _heading(line: str) -> list[str]:
    return [name.strip().lstrip("`") for name in line.split(",")]


def _values(numbered: Sequence[tuple[int, str]], width: int) -> Iterator[tuple[int, list[str]]]:
    """A value may hold commas; only a comma before a backtick parts two values."""
    for number, line in numbered:
        values = line.strip("\r\n").removeprefix("`").split(",`")
        if not line.startswith("`") or len(values) != width:
            raise BillMalformed(f"line {number} has {len(values)} values, not {width}")
        yield number, values


def _line(number: int, cell: dict[str, str], day_on: date) -> BillLine:
    kind = _KINDS.get(cell["交易状态"])
    if kind is None:
        raise BillMalformed(f"line {number}: trade state {cell['交易状态']!r}")
    at = instant(number, cell["交易时间"], day_on)
    is_refund = kind == "refund"
    return BillLine(
        kind="refund" if is_refund else "payment", attempt_no=cell["商户订单号"],
        refund_no=cell["商户退款单号"] if is_refund else "", channel_no=cell["微信订单号"],
        amount_minor=-fen(number, cell["申请退款金额"]) if is_refund else fen(number, cell["订单金额"]),
        fee_minor=-fen(number, cell["手续费"]), at=at,
        state=cell["退款状态"] if is_refund else cell["交易状态"],
    )  # fmt: skip


def _totals(values: list[str]) -> _Totals:
    if not values[0].isdecimal():
        raise BillMalformed(f"a total count of {values[0]!r}")
    return _Totals(int(values[0]), *(fen(0, value) for value in values[1:]))


def _compare(totals: _Totals, cells: list[dict[str, str]], lines: list[BillLine]) -> None:
    def total(column: str) -> int:
        return sum(fen(0, cell[column]) for cell in cells)

    found = _Totals(
        len(lines), total("应结订单金额"), total("退款金额"), total("充值券退款金额"), total("手续费"),
        total("订单金额"), total("申请退款金额"),
    )  # fmt: skip
    for name, told, summed in zip(TOTALS, msgspec.structs.astuple(totals), msgspec.structs.astuple(found), strict=True):
        if told != summed:
            raise BillMalformed(f"{name} is said to be {told}, the lines come to {summed}")


def fen(number: int, yuan: str) -> int:
    """Yuan with two or five decimals, to whole fen. BillMalformed where they are not (line `number`; 0: totals)."""
    if not _YUAN.fullmatch(yuan):
        raise BillMalformed(f"{f'line {number}' if number else 'totals'}: {yuan!r} is not an amount of whole fen")
    return int(Decimal(yuan) * 100)


def instant(number: int, text: str, day_on: date) -> datetime:
    """A time of that day in Beijing, in UTC. Raises BillMalformed."""
    try:
        at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE)
    except ValueError as error:
        raise BillMalformed(f"line {number}: {text!r} is not a time") from error
    if at.date() != day_on:
        raise BillMalformed(f"line {number} is of {at.date()}, not of {day_on}")
    return at.astimezone(UTC)
