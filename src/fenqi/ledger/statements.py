"""Statements of one account: a consumer's or a party's entries with what they were for and the running balance."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.ledger.chart import Book


class StatementLine(msgspec.Struct, frozen=True):
    """One entry. `reference` is the order it belongs to, `balance_minor` the account after it (debit positive)."""

    business_on: date
    posted_at: datetime
    kind: str
    reference: UUID | None
    journal_id: UUID
    amount_minor: int
    balance_minor: int


class Statement(msgspec.Struct, frozen=True):
    """An account over a span of business dates, both included; opening + lines = closing."""

    opening_minor: int
    lines: tuple[StatementLine, ...]

    @property
    def closing_minor(self) -> int:
        return self.lines[-1].balance_minor if self.lines else self.opening_minor


async def of_consumer(tx: Tx, consumer_id: UUID, book: Book, path: str, from_on: date, to_on: date) -> Statement:
    """A consumer's account, oldest entry first."""
    return await _statement(tx, "consumer", consumer_id, book, path, from_on, to_on)


async def of_party(tx: Tx, party_id: UUID, book: Book, path: str, from_on: date, to_on: date) -> Statement:
    """A merchant's, a channel's or the house's account, as far as the relay has carried it, oldest entry first."""
    return await _statement(tx, "party", party_id, book, path, from_on, to_on)


_TABLES = {"consumer": ("entry", "journal", "consumer_id"), "party": ("party_entry", "party_journal", "party_id")}


async def _statement(
    tx: Tx, side: Literal["consumer", "party"], owner_id: UUID, book: Book, path: str, from_on: date, to_on: date
) -> Statement:
    entries, journals, owner = _TABLES[side]
    rows = await tx.execute(
        f"SELECT e.business_on, j.posted_at, j.kind, j.reference, e.journal_id, e.amount_minor,"
        f" sum(e.amount_minor) OVER (ORDER BY e.business_on, j.posted_at, e.journal_id, e.line)::bigint"
        f" FROM {entries} e JOIN {journals} j USING (bucket, {owner}, journal_id)"
        f" WHERE e.bucket = %s AND e.{owner} = %s AND e.book = %s AND e.path = %s AND e.business_on <= %s"
        f" ORDER BY e.business_on, j.posted_at, e.journal_id, e.line",
        [bucket_of(owner_id), owner_id, book, path, to_on],
    )
    lines = [StatementLine(*row) for row in await rows.fetchall()]
    before = [line for line in lines if line.business_on < from_on]
    return Statement(before[-1].balance_minor if before else 0, tuple(lines[len(before) :]))
