"""What happens to a loan after it is agreed, as values. A loan is the fold of these over its schedule (`fold.py`).

Amounts are minor units above zero. The id is time-ordered, so events of one day keep the order they were made in.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

PartName = Literal["penalty", "fee", "interest", "principal"]


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=str.lower):
    event_id: UUID
    on: date


class Drawdown(_Event, frozen=True, kw_only=True):
    """The loan is paid out, on the day and to the amount of its terms; without it they are taken as carried out."""

    amount_minor: int


class Repayment(_Event, frozen=True, kw_only=True):
    """Money from the borrower. With `settles` it ends the loan early, under the policy's rule for early settlement."""

    amount_minor: int
    settles: bool = False


class Prepayment(_Event, frozen=True, kw_only=True):
    """Principal paid back ahead of the schedule, with the costs that go with it, from the last instalment backwards."""

    amount_minor: int


class Refund(_Event, frozen=True, kw_only=True):
    """Money from the merchant for goods that came back, wholly or in part."""

    amount_minor: int


class Cancellation(_Event, frozen=True, kw_only=True):
    """The purchase is undone: without an amount all of it, as if it had never been; with one, that part of it."""

    amount_minor: int | None = None


class Waiver(_Event, frozen=True, kw_only=True):
    """The lender lets off a part that is owed, oldest instalment first, or that of instalment `n` only."""

    part: Literal["penalty", "fee", "interest"]
    amount_minor: int
    n: int | None = None


class Penalty(_Event, frozen=True, kw_only=True):
    """A penalty is charged to instalment `n`."""

    n: int
    amount_minor: int


LoanEvent = Drawdown | Repayment | Prepayment | Refund | Cancellation | Waiver | Penalty


def in_order(events: tuple[LoanEvent, ...] | list[LoanEvent]) -> list[LoanEvent]:
    """Events as they are folded: by date, a drawdown before all else of its day, then by id. A repeated id is once."""
    known = {event.event_id: event for event in events}
    return sorted(known.values(), key=lambda event: (event.on, not isinstance(event, Drawdown), event.event_id))
