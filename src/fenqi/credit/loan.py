"""Loans: making them for the paying batch, and reading back what was agreed.

A loan keeps its plan's terms as short JSON; what differs from loan to loan (principal, dates, limits drawn on) has
columns. So a batch of loans encodes each plan once, and writes one row a loan.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from fenqi.credit import store
from fenqi.credit.agreed import agreed, encode_draws
from fenqi.credit.model import Loan
from fenqi.credit.product import CreditProduct, LoanPlan
from fenqi.database.pool import Tx
from fenqi.kernel.refusal import NotFound
from fenqi.ledger.postings.parts import Draw, total


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
    text, first_due_on = agreed(plan, disbursed_on)
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


async def subsidised_uses(tx: Tx, consumer_id: UUID) -> dict[str, int]:
    """How often the consumer has used each plan with the fee paid by somebody else."""
    return await store.loan.count_subsidised(tx, consumer_id)


async def subsidies_spent(tx: Tx) -> dict[str, int]:
    """What each plan's budget has paid so far, in fen: a sum over all consumers, to be kept for a while by who asks."""
    return await store.loan.sum_subsidies(tx)
