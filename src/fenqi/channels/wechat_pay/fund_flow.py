"""The fund-flow bill: every movement of the account's money there (payments in, refunds and fees out), with balances.

Backtick CSV of eleven columns and a line of five totals; amounts in yuan. It proves what the trade bill only claims.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

import msgspec

from fenqi.channels.contract import BillMalformed
from fenqi.channels.wechat_pay.bill import fen, instant, read_table

HEADING = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
TOTALS_HEADING = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
COLUMNS, TOTALS = tuple(HEADING.split(",")), tuple(TOTALS_HEADING.split(","))
IN, OUT = "收入", "支出"


class Movement(msgspec.Struct, frozen=True):
    """One movement; `amount_minor` is negative where money left the account."""

    at: datetime
    business_no: str
    """The number of the payment or refund that moved it."""
    flow_no: str
    name: str
    kind: str
    amount_minor: int
    balance_minor: int
    by: str
    note: str
    voucher: str


class FundFlow(msgspec.Struct, frozen=True):
    """A day's movements, in the file's order."""

    day_on: date
    movements: tuple[Movement, ...]
    in_minor: int
    out_minor: int
    """Positive."""


def parse(raw: bytes, day_on: date) -> FundFlow:
    """The movements in a file; balances must follow from one another. Raises BillMalformed."""
    table = read_table(raw, COLUMNS, TOTALS)
    movements = tuple(_movement(number, values, day_on) for number, values in table.lines)
    for before, after in pairwise(movements):
        if before.balance_minor + after.amount_minor != after.balance_minor:
            raise BillMalformed(f"{after.flow_no}: the balance does not follow from the one before")
    came = [one.amount_minor for one in movements if one.amount_minor >= 0]
    went = [-one.amount_minor for one in movements if one.amount_minor < 0]
    count, ins, in_yuan, outs, out_yuan = table.totals
    told = (count, ins, fen(0, in_yuan), outs, fen(0, out_yuan))
    if told != (str(len(movements)), str(len(came)), sum(came), str(len(went)), sum(went)):
        raise BillMalformed(f"the totals are said to be {told}, and are not those of the lines")
    return FundFlow(day_on, movements, sum(came), sum(went))


def _movement(number: int, values: list[str], day_on: date) -> Movement:
    at, business_no, flow_no, name, kind, direction, amount, balance, by, note, voucher = values
    if direction not in (IN, OUT):
        raise BillMalformed(f"line {number}: {direction!r} is neither in nor out")
    amount_minor = fen(number, amount)
    return Movement(
        instant(number, at, day_on), business_no, flow_no, name, kind,
        amount_minor if direction == IN else -amount_minor, fen(number, balance), by, note, voucher,
    )  # fmt: skip
