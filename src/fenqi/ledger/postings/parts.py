"""What recipes are made of: draws on limits, merchants' shares, channels' receipts, charges, pairs between books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from fenqi.ledger import chart
from fenqi.ledger.chart import Book
from fenqi.ledger.model import Entry


class Draw(msgspec.Struct, frozen=True, gc=False):
    """Principal on one limit; `path` is the limit's account, `asset:loan_principal:<limit>`."""

    path: str
    amount_minor: int


class Share(msgspec.Struct, frozen=True, gc=False):
    """One merchant's part of an amount."""

    merchant_id: UUID
    amount_minor: int


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Money that a channel has taken, or gives back. `passage_id` is our account there, its party in the ledger."""

    channel: str
    passage_id: UUID
    amount_minor: int

    @property
    def path(self) -> str:
        """The channel's clearing account."""
        return chart.clearing_channel(self.channel)


class Charges(msgspec.Struct, frozen=True):
    """What credit costs, by kind."""

    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0

    @property
    def total_minor(self) -> int:
        return self.interest_minor + self.fee_minor + self.penalty_minor


class Unbalanced(ValueError):
    """The parts of an event do not add up: a bug of the caller."""


def total(parts: Iterable[Draw] | Iterable[Share] | Iterable[Receipt]) -> int:
    """The sum of the parts' amounts."""
    return sum(part.amount_minor for part in parts)


def require(holds: bool, why: str) -> None:
    """Raise Unbalanced unless the parts add up."""
    if not holds:
        raise Unbalanced(why)


def owed(debtor: Book, creditor: Book, amount_minor: int) -> tuple[Entry, Entry]:
    """From now on `debtor` owes `creditor` the amount: a credit in the one's book, a debit in the other's."""
    return (
        Entry(debtor, chart.clearing(creditor), -amount_minor),
        Entry(creditor, chart.clearing(debtor), amount_minor),
    )


def receivables(charges: Charges, sign: int) -> list[Entry]:
    """The charges on their receivable accounts, as debits (+1) or credits (-1)."""
    return _lines(
        charges,
        sign,
        (chart.INTEREST_RECEIVABLE, chart.FEE_RECEIVABLE, chart.PENALTY_RECEIVABLE),
    )


def income(charges: Charges, sign: int) -> list[Entry]:
    """The charges on their income accounts, as debits (+1) or credits (-1)."""
    return _lines(charges, sign, (chart.INTEREST, chart.INSTALMENT_FEE, chart.PENALTY))


def to_merchants(shares: Sequence[Share], sign: int) -> list[Entry]:
    """The shares on the mall's clearing account with merchants."""
    return [Entry(chart.MALL, chart.CLEARING_MERCHANT, sign * s.amount_minor, s.merchant_id) for s in shares]


def on_limits(draws: Sequence[Draw], sign: int) -> list[Entry]:
    """The draws on the lender's loan accounts."""
    return [Entry(chart.LENDER, draw.path, sign * draw.amount_minor) for draw in draws]


def at_channels(receipts: Sequence[Receipt], sign: int) -> list[Entry]:
    """The receipts on their channels' clearing accounts: debits (+1) for money in, credits (-1) for money out."""
    return [Entry(chart.PAYMENT_COMPANY, one.path, sign * one.amount_minor, one.passage_id) for one in receipts]


def owed_back(receipts: Sequence[Receipt], sign: int) -> list[Entry]:
    """The receipts on what is owed back to the buyer: credits (-1) when it is owed, debits (+1) when it has gone."""
    return [
        Entry(chart.PAYMENT_COMPANY, chart.REFUND_PAYABLE, sign * one.amount_minor, one.passage_id) for one in receipts
    ]


def _lines(charges: Charges, sign: int, paths: tuple[str, str, str]) -> list[Entry]:
    amounts = (charges.interest_minor, charges.fee_minor, charges.penalty_minor)
    return [Entry(chart.LENDER, path, sign * amount) for path, amount in zip(paths, amounts, strict=True) if amount]
