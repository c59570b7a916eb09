"""Merchants, by API key: their own account statement, as far as the relay has carried it."""

from __future__ import annotations

from datetime import date

import msgspec

from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import statements
from fenqi.ledger.chart import MALL
from fenqi.ledger.statements import StatementLine
from fenqi.web.api.resource import Call, resource

_PAYABLE = "liability:merchant_payable"


class PayableStatement(msgspec.Struct, frozen=True):
    """What the mall owes the merchant, in minor units; every line names the order that it belongs to."""

    from_on: date
    to_on: date
    opening_minor: int
    closing_minor: int
    lines: tuple[StatementLine, ...]


@resource(
    "GET", "/v1/merchant/statement", answer=PayableStatement, who=("merchant",), query=("from_on", "to_on"),
    problems=(422,),
)  # fmt: skip
async def statement(call: Call) -> PayableStatement:
    """The merchant's own account over a span of business dates, both included; needs the scope `payments:read`."""
    call.actor.require("payments:read")
    today_on = business_date(call.context.now())
    to_on = _day(call, "to_on", today_on)
    from_on = _day(call, "from_on", to_on.replace(day=1))
    if from_on > to_on:
        raise Refusal("DATE_INVALID", "from_on comes first")
    async with call.context.database.snapshot() as tx:
        found = await statements.of_party(tx, call.actor.merchant_id, MALL, _PAYABLE, from_on, to_on)
    lines = tuple(msgspec.structs.replace(x, amount_minor=-x.amount_minor, balance_minor=-x.balance_minor)
                  for x in found.lines)  # fmt: skip
    return PayableStatement(from_on, to_on, -found.opening_minor, -found.closing_minor, lines)


def _day(call: Call, name: str, default: date) -> date:
    text = call.query.get(name)
    if text is None:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("DATE_INVALID", f"{name} is a date (YYYY-MM-DD)") from None
