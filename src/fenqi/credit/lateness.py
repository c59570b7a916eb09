"""How loans have been paid, instalment by instalment: due dates and when each was cleared, for vintages.

Loans that were never late are not folded: their instalments count as cleared on their due dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from fenqi.credit import store
from fenqi.credit.agreed import terms_of_loan
from fenqi.credit.fold import fold
from fenqi.credit.loan_event import LoanEvent
from fenqi.credit.model import Loan
from fenqi.credit.position import rules_of
from fenqi.credit.schedule import Terms, build
from fenqi.database.pool import Tx

_EVENT: msgspec.json.Decoder[LoanEvent] = msgspec.json.Decoder(LoanEvent)


class Paid(msgspec.Struct, frozen=True):
    """A loan's instalments as (due date, the day it was cleared or None)."""

    disbursed_on: date
    principal_minor: int
    dues: tuple[tuple[date, date | None], ...]


async def paid(tx: Tx, since_on: date, today_on: date) -> list[Paid]:
    """Every loan made since a day that was neither cancelled nor wholly refunded. A report: through all buckets."""
    found = []
    for loan, events in await store.lateness.loans_since(tx, since_on, today_on):
        terms = terms_of_loan(loan)
        dues = punctual(terms) if events is None else cleared(loan, terms, [_EVENT.decode(one) for one in events])
        found.append(Paid(loan.disbursed_on, loan.principal_minor, dues))
    return found


def punctual(terms: Terms) -> tuple[tuple[date, date | None], ...]:
    """The instalments of a loan that was never late."""
    return tuple((row.due_on, row.due_on) for row in build(terms).rows)


def cleared(loan: Loan, terms: Terms, events: Sequence[LoanEvent]) -> tuple[tuple[date, date | None], ...]:
    """Each instalment's due date, and the first day at whose end nothing of it was left to pay."""
    found: dict[int, date] = {}
    rows = fold(terms, [], loan.disbursed_on, rules_of(loan)).rows
    for on in sorted({event.on for event in events}):
        rows = fold(terms, events, on, rules_of(loan)).rows
        for row in rows:
            if row.outstanding.total_minor == 0:
                found.setdefault(row.n, on)
            else:
                found.pop(row.n, None)
    return tuple((row.due_on, found.get(row.n)) for row in rows)
