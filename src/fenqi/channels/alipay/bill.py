"""Alipay's daily bill (业务账单): a zip of two GBK tables, the day's rows and their sum by store.

Rows are read by the names in the header, so the variants that banks and intermediaries hand on fit too; the file's
own totals must meet the rows, or it is not believed.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from fenqi.channels.alipay.text import fen, instant
from fenqi.channels.contract import Bill, BillLine, BillMalformed

UNZIPPED_MOST = 512 * 1024 * 1024
COLUMNS = (
    *("支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间"),
    *("门店编号", "门店名称", "操作员", "终端号", "对方账户", "订单金额（元）", "商家实收（元）", "支付宝红包（元）"),
    *("集分宝（元）", "支付宝优惠（元）", "商家优惠（元）", "券核销金额（元）", "券名称", "商家红包消费金额（元）"),
    *("卡消费金额（元）", "退款批次号/请求号", "服务费（元）", "分润（元）", "备注"),
)
"""The 25 columns of the rows, as Alipay writes them (channels.md, AL8)."""

SUM_COLUMNS = (
    *("门店编号", "门店名称", "交易订单总笔数", "退款订单总笔数", "订单金额（元）", "商家实收（元）"),
    *("支付宝优惠（元）", "商家优惠（元）", "卡消费金额（元）", "服务费（元）", "分润（元）", "实收净额（元）"),
)
"""The columns of the sums by store."""

_NEEDED = ("支付宝交易号", "商户订单号", "业务类型", "完成时间", "订单金额", "商家实收", "退款批次号/请求号", "服务费")
_OTHER_NAMES = {
    "交易号": "支付宝交易号",
    "退款请求号": "退款批次号/请求号",
    "退款批次号": "退款批次号/请求号",
    "手续费": "服务费",
}
_KINDS = {"交易": "payment", "退款": "refund"}
_UNIT = re.compile(r"\(元\)$")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_ACCOUNT = re.compile(r"账号\s*[:：]\s*\[?(\d+)")
_DAY = re.compile(r"起始日期\s*[:：]\s*\[?(\d{4})[年-](\d\d)[月-](\d\d)")
_PAYMENTS = re.compile(r"交易合计\s*[:：]\s*(\d+)\s*笔.*?商家实收共\s*(-?[\d.]+)\s*元")
_REFUNDS = re.compile(r"退款合计\s*[:：]\s*(\d+)\s*笔.*?商家实收退款共\s*(-?[\d.]+)\s*元")


class _Row(msgspec.Struct, frozen=True):
    line: BillLine
    received_minor: int


class _Totals(msgspec.Struct, frozen=True):
    """The file's own totals; refunds as a positive amount."""

    payments: int
    paid_minor: int
    refunds: int
    refunded_minor: int


def parse(raw: bytes, day_on: date) -> Bill:
    """The bill in a zip, or in a bare table. Raises BillMalformed, with the table's line.

    A row's amount is 订单金额, the paid and refunded totals are what the file states as 商家实收 (refunds positive),
    the fee is 服务费 with the file's sign: negative is what Alipay kept. A file without its totals was cut off.
    """
    detail, by_store = _tables(raw)
    account = _header(detail, _ACCOUNT, "account").group(1)
    first = _header(detail, _DAY, "day")
    if "-".join(first.groups()) != day_on.isoformat():
        raise BillMalformed(f"the bill is of {first.group(0)}, not of {day_on.isoformat()}")
    rows = tuple(_rows(detail))
    totals = _stated(detail)
    _meets("payments", rows, "payment", totals.payments, totals.paid_minor)
    _meets("refunds", rows, "refund", totals.refunds, totals.refunded_minor)
    fee_minor = sum(row.line.fee_minor for row in rows)
    if by_store:
        _meets_stores(by_store, totals, fee_minor)
    return Bill(
        account.removesuffix("0156") if len(account) == 20 else account, day_on, tuple(row.line for row in rows),
        totals.payments, totals.paid_minor, totals.refunds, totals.refunded_minor, fee_minor,
    )  # fmt: skip


def _tables(raw: bytes) -> tuple[list[str], list[str]]:
    """The lines of the rows' table and of the sums by store (empty where there is none), told apart by content."""
    if not raw.startswith(b"PK"):
        return _text(raw).splitlines(), []
    detail: list[str] = []
    by_store: list[str] = []
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(member.file_size for member in archive.infolist()) > UNZIPPED_MOST:
                raise BillMalformed("the archive is larger than a bill")
            for member in archive.infolist():
                lines = _text(archive.read(member)).splitlines()
                if any("交易订单总笔数" in line for line in lines[:8]):
                    by_store = lines
                elif any("商户订单号" in line for line in lines[:8]):
                    detail += lines
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BillMalformed(f"the archive can't be read: {error}") from error
    return detail, by_store


def _text(raw: bytes) -> str:
    """GBK as Alipay writes it; UTF-8 where somebody has converted it."""
    for charset in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    raise BillMalformed("the table is neither GBK nor UTF-8")


def _header(lines: list[str], pattern: re.Pattern[str], what: str) -> re.Match[str]:
    for line in lines[:8]:
        if found := pattern.search(line):
            return found
    raise BillMalformed(f"no {what} in the table's head")


def _body(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of what is neither a comment nor empty; the first is the header."""
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield number, [cell.strip().lstrip("`").strip() for cell in next(csv.reader([line]))]


def _names(cells: list[str]) -> list[str]:
    plain = [_UNIT.sub("", cell.replace("（", "(").replace("）", ")")) for cell in cells]
    return [_OTHER_NAMES.get(name, name) for name in plain]


def _rows(lines: list[str]) -> Iterator[_Row]:
    body = _body(lines)
    try:
        _, header = next(body)
    except StopIteration:
        raise BillMalformed("the table has no header") from None
    names = _names(header)
    if missing := [name for name in _NEEDED if name not in names]:
        raise BillMalformed(f"the header lacks {', '.join(missing)}")
    for number, cells in body:
        if len(fitted := _fitted(cells, names)) != len(names):
            raise BillMalformed(f"line {number}: {len(cells)} values for {len(names)} columns")
        try:
            yield _row(dict(zip(names, fitted, strict=True)))
        except (ValueError, KeyError) as error:
            raise BillMalformed(f"line {number}: {error}") from error


def _fitted(cells: list[str], names: list[str]) -> list[str]:
    """Cells put together again where the goods' name or the remark, the last column, holds commas of its own."""
    if len(cells) <= len(names) or "商品名称" not in names or "创建时间" not in names:
        return cells
    name_at = names.index("商品名称")
    made_at = next((i for i in range(name_at + 1, len(cells)) if _MOMENT.fullmatch(cells[i])), name_at + 1)
    cells = [*cells[:name_at], ",".join(cells[name_at:made_at]), *cells[made_at:]]
    return [*cells[: len(names) - 1], ",".join(cells[len(names) - 1 :])]


def _row(values: Mapping[str, str]) -> _Row:
    kind = _KINDS[values["业务类型"]]
    amount_minor, received_minor = fen(values["订单金额"]), fen(values["商家实收"])
    if kind == "refund":  # some who hand bills on drop the sign
        amount_minor, received_minor = -abs(amount_minor), -abs(received_minor)
    elif amount_minor < 0:
        raise ValueError("a payment of less than nothing")
    line = BillLine(
        "payment" if kind == "payment" else "refund", values["商户订单号"], values["退款批次号/请求号"],
        values["支付宝交易号"], amount_minor, fen(values["服务费"] or "0"), instant(values["完成时间"]),
        state=values["业务类型"],
    )  # fmt: skip
    if not line.attempt_no or not line.channel_no:
        raise ValueError("a row without its numbers")
    return _Row(line, received_minor)


def _stated(lines: list[str]) -> _Totals:
    """The totals under the rows. Raises BillMalformed."""
    tail = "\n".join(line for line in lines if line.startswith("#"))
    payments, refunds = _PAYMENTS.search(tail), _REFUNDS.search(tail)
    if payments is None or refunds is None:
        raise BillMalformed("the table ends without its totals")
    return _Totals(int(payments[1]), fen(payments[2]), int(refunds[1]), abs(fen(refunds[2])))


def _store_sum(lines: list[str]) -> Mapping[str, str]:
    """The line 合计 of the table by store."""
    body = list(_body(lines))
    for number, cells in body[1:]:
        if cells[0] == "合计":
            names = _names(body[0][1])
            if len(cells) < len(names):
                raise BillMalformed(f"sums by store, line {number}: {len(cells)} values for {len(names)} columns")
            return dict(zip(names, cells, strict=False))
    raise BillMalformed("the sums by store have no total")


def _meets(what: str, rows: tuple[_Row, ...], kind: str, count: int, sum_minor: int) -> None:
    found = [row.received_minor for row in rows if row.line.kind == kind]
    if len(found) != count or abs(sum(found)) != sum_minor:
        raise BillMalformed(
            f"the file states {count} {what} of {sum_minor} fen; its rows are {len(found)} of {abs(sum(found))}"
        )  # fmt: skip


def _meets_stores(lines: list[str], totals: _Totals, fee_minor: int) -> None:
    """The sums by store must have the same counts and fee. Raises BillMalformed."""
    stated = _store_sum(lines)
    try:
        said = (int(stated["交易订单总笔数"]), int(stated["退款订单总笔数"]), fen(stated["服务费"]))
    except (KeyError, ValueError) as error:
        raise BillMalformed(f"sums by store: {error}") from error
    if said != (totals.payments, totals.refunds, fee_minor):
        raise BillMalformed(f"the sums by store are {said}, the rows' {(totals.payments, totals.refunds, fee_minor)}")
