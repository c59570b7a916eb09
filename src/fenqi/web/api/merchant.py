"""Merchants, by API key: their own account statement, as far as the relay has carried it, and notices to them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from fenqi import merchant
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import statements
from fenqi.ledger.chart import MALL
from fenqi.ledger.statements import StatementLine
from fenqi.merchant import Notice, Scope
from fenqi.web.api.order import whole
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
    problems=(422,), scopes=(Scope.PAYMENTS_READ,),
)  # fmt: skip
async def statement(call: Call) -> PayableStatement:
    """The merchant's own account over a span of business dates, both included."""
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


@resource(
    "GET", "/v1/merchant/notices", answer=tuple[Notice, ...], who=("merchant",), scopes=(Scope.WEBHOOKS_MANAGE,),
    query=("limit",), problems=(422,),
)  # fmt: skip
async def notices(call: Call) -> tuple[Notice, ...]:
    """What the merchant must know (a webhook that was disabled), newest first."""
    _, limit = page_of(call)
    async with call.context.database.snapshot() as tx:
        return tuple(await merchant.notices_of(tx, call.actor.merchant_id, limit))


def by_merchant(call: Call, why: str, otherwise: str) -> By:
    """The merchant's own doing, now; `otherwise` is the reason where none was given."""
    return By(call.actor.name, why or otherwise, call.context.now())


def page_of(call: Call) -> tuple[UUID | None, int]:
    """The query's `before` and `limit`; refuses other values (PAGE_INVALID)."""
    limit, before = whole(call, "limit", 20), call.query.get("before")
    before_id = None if before is None else parse_id(before)
    if before is not None and before_id is None:
        raise Refusal("PAGE_INVALID", "before is the id of the last one seen")
    if not 1 <= limit <= 100:
        raise Refusal("PAGE_INVALID", "1 to 100 a page")
    return before_id, limit


def _day(call: Call, name: str, default: date) -> date:
    text = call.query.get(name)
    if text is None:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("DATE_INVALID", f"{name} is a date (YYYY-MM-DD)") from None
