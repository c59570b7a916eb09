"""The chart of accounts: every account of every book, with its normal side and what a balance on it means.

An account is (book, path). A path is a family of the table below, followed by a name where the family says so
(`asset:loan_principal:general`). Debits are positive, credits negative.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

import msgspec

Book = Literal["mall", "lender", "payment_company", "partner_bank"]
"""The four books; each balances on its own."""

MALL: Final = "mall"
LENDER: Final = "lender"
PAYMENT_COMPANY: Final = "payment_company"
PARTNER_BANK: Final = "partner_bank"
BOOKS: Final[tuple[Book, ...]] = (MALL, LENDER, PAYMENT_COMPANY, PARTNER_BANK)

Side = Literal["debit", "credit", "either"]
Place = Literal["consumer", "party", "both"]
"""Whose journals post the account: consumers' own, or those of parties (merchants, channels, the house)."""

LOAN_PRINCIPAL: Final = "asset:loan_principal"
INTEREST_RECEIVABLE: Final = "asset:interest_receivable"
FEE_RECEIVABLE: Final = "asset:fee_receivable"
PENALTY_RECEIVABLE: Final = "asset:penalty_receivable"
INTEREST: Final = "income:interest"
INSTALMENT_FEE: Final = "income:instalment_fee"
PENALTY: Final = "income:penalty"
MERCHANT_SUBSIDY: Final = "income:merchant_subsidy"
MONEY_ACCOUNT: Final = "liability:money_account"
REFUND_PAYABLE: Final = "liability:refund_payable"
PAYOUT_PAYABLE: Final = "liability:payout_payable"
INTERBANK: Final = "asset:interbank"
MERCHANT_PAYABLE: Final = "liability:merchant_payable"
CHANNEL_IN_TRANSIT: Final = "asset:channel_in_transit"
SUSPENSE: Final = "liability:suspense"
BANK: Final = "asset:bank"
CLEARING: Final = "clearing"
CLEARING_MERCHANT: Final = "clearing:merchant"
CLEARING_CHANNEL: Final = "clearing:channel"
DUE_FROM: Final = "asset:due_from"
DUE_TO: Final = "liability:due_to"


class Account(msgspec.Struct, frozen=True):
    """One row of the chart. `named` says that a name follows the family; `limited` that a limit row has its balance."""

    book: Book
    family: str
    normal: Side
    place: Place
    meaning: str
    named: bool = False
    limited: bool = False


def _between_books(book: Book, other: Book) -> list[Account]:
    return [
        Account(
            book,
            f"{CLEARING}:{other}",
            "either",
            "both",
            f"What passes between {book} and {other} and the relay has not carried over yet.",
        ),
        Account(book, f"{DUE_FROM}:{other}", "debit", "party", f"What {other} owes {book}, until they settle."),
        Account(book, f"{DUE_TO}:{other}", "credit", "party", f"What {book} owes {other}, until they settle."),
    ]


CHART: Final[tuple[Account, ...]] = (
    Account(
        LENDER,
        LOAN_PRINCIPAL,
        "debit",
        "consumer",
        "Principal the consumer has drawn on a limit and not repaid; the name is the limit's.",
        named=True,
        limited=True,
    ),
    Account(LENDER, INTEREST_RECEIVABLE, "debit", "consumer", "Interest that has fallen due and is not paid."),
    Account(LENDER, FEE_RECEIVABLE, "debit", "consumer", "Instalment fees that have fallen due and are not paid."),
    Account(LENDER, PENALTY_RECEIVABLE, "debit", "consumer", "Late fees charged and not paid."),
    Account(LENDER, INTEREST, "credit", "consumer", "Interest earned, less what was waived."),
    Account(LENDER, INSTALMENT_FEE, "credit", "consumer", "Instalment fees earned, less what was waived."),
    Account(LENDER, PENALTY, "credit", "consumer", "Late fees earned, less what was waived."),
    Account(
        LENDER,
        MERCHANT_SUBSIDY,
        "credit",
        "consumer",
        "What merchants paid so that buyers pay no interest, less what went back to them with refunds.",
    ),
    Account(LENDER, BANK, "debit", "party", "The lender's money at banks outside these books."),
    Account(
        PAYMENT_COMPANY,
        MONEY_ACCOUNT,
        "credit",
        "consumer",
        "The consumer's own money (小金库), payable on demand.",
        limited=True,
    ),
    Account(
        PAYMENT_COMPANY,
        REFUND_PAYABLE,
        "credit",
        "consumer",
        "What is owed back to the buyer until the channel has given it back; entries name the passage.",
    ),
    Account(
        PAYMENT_COMPANY,
        PAYOUT_PAYABLE,
        "credit",
        "consumer",
        "What has left the money account and is being sent to the consumer's card.",
    ),
    Account(
        PAYMENT_COMPANY,
        CLEARING_CHANNEL,
        "either",
        "both",
        "What a channel took or gave back and the relay has not carried over yet; the name is the channel's.",
        named=True,
    ),
    Account(
        PAYMENT_COMPANY,
        CHANNEL_IN_TRANSIT,
        "debit",
        "party",
        "Money a channel has taken from buyers and not yet settled to us.",
    ),
    Account(
        PAYMENT_COMPANY,
        SUSPENSE,
        "credit",
        "party",
        "Money received or claimed by a channel's bill that no payment explains yet.",
    ),
    Account(PAYMENT_COMPANY, BANK, "debit", "party", "The payment company's money at banks outside these books."),
    Account(
        MALL,
        CLEARING_MERCHANT,
        "either",
        "both",
        "What purchases owe merchants and the relay has not carried over yet.",
    ),
    Account(MALL, MERCHANT_PAYABLE, "credit", "party", "What the mall owes a merchant for goods sold, until paid out."),
    Account(MALL, BANK, "debit", "party", "The mall's money at banks outside these books."),
    Account(
        PARTNER_BANK,
        INTERBANK,
        "debit",
        "consumer",
        "What the interbank network owes the bank for money drawn from consumers' cards, less what was sent to them.",
    ),
    *_between_books(MALL, LENDER),
    *_between_books(MALL, PAYMENT_COMPANY),
    *_between_books(LENDER, MALL),
    *_between_books(LENDER, PAYMENT_COMPANY),
    *_between_books(PAYMENT_COMPANY, MALL),
    *_between_books(PAYMENT_COMPANY, LENDER),
    *_between_books(PAYMENT_COMPANY, PARTNER_BANK),
    *_between_books(PARTNER_BANK, PAYMENT_COMPANY),
)
_ROWS: Final[dict[tuple[str, str], Account]] = {(account.book, account.family): account for account in CHART}


class UnknownAccount(ValueError):
    """No such account in the chart of that book."""


@lru_cache(maxsize=4096)
def account(book: str, path: str) -> Account:
    """The row of the chart that (book, path) belongs to; UnknownAccount when there is none."""
    row = _ROWS.get((book, path))
    if row is not None and not row.named:
        return row
    family, _, name = path.rpartition(":")
    while family:
        row = _ROWS.get((book, family))
        if row is not None and row.named and name:
            return row
        family, _, tail = family.rpartition(":")
        name = f"{tail}:{name}"
    raise UnknownAccount(f"{book} has no account {path}")


@lru_cache(maxsize=4096)
def is_limited(path: str) -> bool:
    """Whether a limit row keeps this account's balance, so that every entry on it needs a leg."""
    return path == MONEY_ACCOUNT or path.startswith(f"{LOAN_PRINCIPAL}:")


@lru_cache(maxsize=4096)
def is_clearing(path: str) -> bool:
    """Whether the relay mirrors entries on this account."""
    return path.startswith(f"{CLEARING}:")


@lru_cache(maxsize=4096)
def is_owned(path: str) -> bool:
    """Whether entries on this clearing account name the merchant or channel whose it is; the others are the house's."""
    return path == CLEARING_MERCHANT or is_channel(path)


@lru_cache(maxsize=4096)
def is_channel(path: str) -> bool:
    """Whether this is a channel's clearing account."""
    return path.startswith(f"{CLEARING_CHANNEL}:")


def loan_principal(limit: str) -> str:
    """The path of a limit's loan account: `general`, `temporary`, `dedicated:furniture`."""
    return f"{LOAN_PRINCIPAL}:{limit}"


def clearing_channel(channel: str) -> str:
    """The path of a channel's clearing account: `clearing:channel:alipay`; its entries name the passage."""
    return f"{CLEARING_CHANNEL}:{channel}"


def clearing(other: Book) -> str:
    """The path of a book's clearing account towards another book."""
    return f"{CLEARING}:{other}"


def mirror(path: str, amount_minor: int) -> str:
    """The party's account onto which the relay carries a clearing entry: what the entry stands for."""
    if path == CLEARING_MERCHANT:
        return MERCHANT_PAYABLE
    if is_channel(path):
        return CHANNEL_IN_TRANSIT
    other = path.removeprefix(f"{CLEARING}:")
    return f"{DUE_FROM if amount_minor > 0 else DUE_TO}:{other}"
