"""Loans: making them for the paying batch, and reading back what was agreed.

A loan keeps its plan's terms as short JSON; what differs from loan to loan (principal, dates, limits drawn on) has
columns. So a batch of loans encodes each plan once, and writes one row a loan.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

import msgspec

from fenqi.credit import store
from fenqi.credit.model import Loan
from fenqi.credit.product import CreditProduct, LoanPlan, terms_of
from fenqi.credit.schedule import Terms
from fenqi.credit.schedule.due_date import due_dates
from fenqi.database.pool import Tx
from fenqi.kernel.refusal import NotFound
from fenqi.ledger.postings.parts import Draw, total

_JSON = msgspec.json.Encoder()
_DRAWS = msgspec.json.Decoder(list[tuple[str, int]])
_OWN_COLUMNS = ("principal_minor", "disbursed_on")
_DEFAULTS = msgspec.structs.asdict(Terms(principal_minor=0, instalments=0, disbursed_on=date.min))


def new_loan(
    consumer_id: UUID,
    loan_id: UUID,
    order_id: UUID,
    payment_id: UUID,
    journal_id: UUID,
    plan: LoanPlan,
    draws: Sequence[Draw],
    disbursed_on: date,
    drawn_at: datetime,
    product: CreditProduct,
    subsidy_minor: int = 0,
) -> Loan:
    """A loan as the paying batch writes it: the draws' sum on `plan`, first due one period after `disbursed_on`."""
    principal_minor = total(draws)
    text, first_due_on = _agreed(plan, disbursed_on)
    return Loan(
        consumer_id=consumer_id,
        loan_id=loan_id,
        order_id=order_id,
        payment_id=payment_id,
        journal_id=journal_id,
        plan=plan.plan,
        product_version=product.version,
        terms=text,
        draws=encode_draws(draws),
        principal_minor=principal_minor,
        subsidy_minor=subsidy_minor,
        disbursed_on=disbursed_on,
        first_due_on=first_due_on,
        drawn_at=drawn_at,
        outstanding_minor=principal_minor,
        next_due_on=first_due_on,
    )


async def insert_loans(tx: Tx, loans: Sequence[Loan]) -> None:
    """Write the batch's new loans, of any consumers, in one statement."""
    await store.loan.insert_loans(tx, loans)


async def loans_of(tx: Tx, consumer_id: UUID) -> list[Loan]:
    """All loans of the consumer, oldest first."""
    return await store.loan.select_loans(tx, consumer_id)


async def loan_of(tx: Tx, consumer_id: UUID, loan_id: UUID) -> Loan:
    """One loan of the consumer; refuses with LOAN_UNKNOWN what isn't theirs."""
    found = await store.loan.select_loans_by_id(tx, consumer_id, [loan_id])
    if not found:
        raise NotFound("LOAN_UNKNOWN", "no such loan")
    return found[0]


async def loans_of_order(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[Loan]:
    """The loans that paid an order."""
    return await store.loan.select_loans_of_order(tx, consumer_id, order_id)


@lru_cache(maxsize=4096)
def _agreed(plan: LoanPlan, disbursed_on: date) -> tuple[str, date]:
    """The plan's terms as JSON, and the first due date of a loan disbursed that day; neither depends on the amount."""
    terms = terms_of(plan, 1, disbursed_on)
    return encode_terms(terms), due_dates(terms)[0]


def encode_terms(terms: Terms) -> str:
    """The terms without principal and disbursement, and without what is as usual."""
    fields = msgspec.structs.asdict(terms)
    own = {name: value for name, value in fields.items() if name not in _OWN_COLUMNS and value != _DEFAULTS[name]}
    return _JSON.encode(own).decode()


@lru_cache(maxsize=4096)
def _shape(text: str) -> Terms:
    fields = msgspec.json.decode(text)
    return msgspec.convert({**fields, "principal_minor": 0, "disbursed_on": date.min}, Terms)


def terms_of_loan(loan: Loan) -> Terms:
    """The loan's terms as the engine takes them."""
    return msgspec.structs.replace(
        _shape(loan.terms), principal_minor=loan.principal_minor, disbursed_on=loan.disbursed_on
    )


def encode_draws(draws: Sequence[Draw]) -> str:
    """The draws as JSON pairs."""
    return _JSON.encode([(draw.path, draw.amount_minor) for draw in draws]).decode()


def draws_of(loan: Loan) -> list[Draw]:
    """The loan's draws, in the order in which principal comes back to them."""
    return [Draw(path, amount_minor) for path, amount_minor in _DRAWS.decode(loan.draws)]
