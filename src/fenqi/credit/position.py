"""A loan as it stands on a day: the engine's fold of what was agreed and what happened, with its limits beside it.

Pure. Folding costs some 50 µs, and a loan's position changes only with an event or at midnight, so it is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from uuid import UUID

import msgspec

from fenqi.credit.agreed import decode_draws, draws_of, terms_of_loan
from fenqi.credit.default_policy import PRODUCTS
from fenqi.credit.fold import FoldPolicy, Instalment, LoanState, fold, settlement
from fenqi.credit.loan_event import LoanEvent
from fenqi.credit.model import Happened, Loan
from fenqi.credit.standing import Parts
from fenqi.ledger.postings.parts import Draw

_EVENT: msgspec.json.Decoder[LoanEvent] = msgspec.json.Decoder(LoanEvent)
_REMEMBERED = 16_384


class Position(msgspec.Struct, frozen=True):
    """A loan on a day. `settle` is what settling it costs, `remaining` what is drawn on each limit and not back."""

    loan: Loan
    events: tuple[LoanEvent, ...]
    state: LoanState
    settle: Parts
    remaining: tuple[Draw, ...]

    @property
    def loan_id(self) -> UUID:
        return self.loan.loan_id

    @property
    def outstanding_minor(self) -> int:
        """Principal not repaid."""
        return self.state.outstanding.principal_minor

    @property
    def unpaid(self) -> tuple[Instalment, ...]:
        """Instalments on which something is left to pay, oldest first."""
        return tuple(row for row in self.state.rows if row.outstanding.total_minor)

    @property
    def next_due_on(self) -> date | None:
        """The oldest due date on which something is unpaid, past or ahead."""
        return self.unpaid[0].due_on if self.unpaid else None

    @property
    def overdue(self) -> tuple[Instalment, ...]:
        """Unpaid instalments that were due before the day."""
        return tuple(row for row in self.unpaid if row.due_on < self.state.as_of_on)

    @property
    def is_instalment(self) -> bool:
        """Whether it is repaid in more than one part."""
        return len(self.state.rows) > 1


def position(loan: Loan, happened: Sequence[Happened], today_on: date) -> Position:
    """The loan after its events, on `today_on`. The two loans that differ only in a summary column are the same."""
    assert len(happened) == loan.events, f"loan {loan.loan_id} has {loan.events} events, {len(happened)} were read"
    return _position(_Key(loan, tuple(happened), today_on))


class _Key:
    """What a position depends on; compared by the loan's id, its count of events and the day."""

    __slots__ = ("happened", "key", "loan", "today_on")

    def __init__(self, loan: Loan, happened: tuple[Happened, ...], today_on: date) -> None:
        self.loan, self.happened, self.today_on = loan, happened, today_on
        self.key = (loan.loan_id, happened[-1].event if happened else "", len(happened), today_on)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.key == other.key


@lru_cache(maxsize=_REMEMBERED)
def _position(key: _Key) -> Position:
    loan, terms, rules = key.loan, terms_of_loan(key.loan), rules_of(key.loan)
    events = tuple(_EVENT.decode(one.event) for one in key.happened)
    state = fold(terms, events, key.today_on, rules)
    settle = settlement(terms, events, key.today_on, rules).due
    return Position(loan, events, state, settle, _remaining(loan, key.happened))


def after(before: Position, event: LoanEvent) -> LoanState:
    """The loan's state once `event` has happened too, as of the event's day."""
    return fold(terms_of_loan(before.loan), [*before.events, event], event.on, rules_of(before.loan))


def rules_of(loan: Loan) -> FoldPolicy:
    """The rules that the loan was made under."""
    return PRODUCTS[loan.product_version].fold


def _remaining(loan: Loan, happened: Sequence[Happened]) -> tuple[Draw, ...]:
    left = {draw.path: draw.amount_minor for draw in draws_of(loan)}
    for one in happened:
        for draw in decode_draws(one.returned):
            left[draw.path] -= draw.amount_minor
    return tuple(Draw(path, amount_minor) for path, amount_minor in left.items() if amount_minor)


def give_back(remaining: Sequence[Draw], principal_minor: int, first: str | None = None) -> tuple[Draw, ...]:
    """The limits to which this much principal comes back: `first` before the others, they in the order drawn."""
    left, back = principal_minor, []
    for draw in sorted(remaining, key=lambda draw: draw.path != first):
        part = min(left, draw.amount_minor)
        left -= part
        if part:
            back.append(Draw(draw.path, part))
    assert left == 0, f"{left} of the principal was drawn on no limit"
    return tuple(back)
