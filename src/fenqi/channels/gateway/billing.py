"""The rows of a day's bill, and the differences that can be planted in them; the sides only write the file.

A payment belongs to the business day on which it was paid, a refund to that on which it was accepted (as in WeChat's).
"""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from fenqi.channels.gateway.book import Book
from fenqi.channels.gateway.side import Account, Row
from fenqi.kernel.clock import start_of_day

replace = msgspec.structs.replace
KINDS = ("missing", "extra", "amount", "fee", "duplicate", "missing_refund")


def rows(book: Book, account: Account, day_on: date) -> tuple[Row, ...]:
    """What really happened on that day, in order of time; failed refunds are in none."""
    since, until = start_of_day(day_on), start_of_day(day_on + timedelta(days=1))
    found = []
    for trade in book.paid_between(account.channel, account.account_id, since, until):
        assert trade.paid_at is not None
        found.append(Row("payment", trade, None, trade.amount_minor, -trade.fee_minor, trade.paid_at))
    for refund in book.refunds_between(account.channel, account.account_id, since, until):
        owner = book.trade(refund.trade_no)
        if refund.state != "failed" and owner is not None:
            found.append(Row("refund", owner, refund, -refund.amount_minor, refund.fee_minor, refund.created_at))
    return tuple(sorted(found, key=lambda row: row.at))


def planted(true: tuple[Row, ...], kinds: tuple[str, ...]) -> tuple[Row, ...]:
    """The rows with one difference of each kind, each on another payment as far as there are any.

    missing: a payment is left out; extra: one more that nobody made; amount, fee: one fen more than it was;
    duplicate: a payment stands twice; missing_refund: a refund is left out.
    """
    left = list(true)
    payments = [row for row in true if row.kind == "payment"]
    refunds = [row for row in true if row.kind == "refund"]
    for number, kind in enumerate(kind for kind in kinds if kind != "missing_refund"):
        if not payments:
            break
        row = payments[number % len(payments)]
        place = left.index(row) if row in left else None
        if kind == "extra":
            left.append(_invented(row))
        elif place is not None:
            left[place : place + 1] = _differing(row, kind)
    if "missing_refund" in kinds and refunds:
        left.remove(refunds[0])
    return tuple(left)


def _differing(row: Row, kind: str) -> list[Row]:
    if kind == "amount":
        return [replace(row, amount_minor=row.amount_minor + 1)]
    if kind == "fee":
        return [replace(row, fee_minor=row.fee_minor - 1)]
    return [row, row] if kind == "duplicate" else []


def _invented(like: Row) -> Row:
    """A payment that never was: the digits of its numbers turned round."""
    trade = replace(like.trade, trade_no=like.trade.trade_no[::-1], out_no=like.trade.out_no[::-1])
    return replace(like, trade=trade)
