"""What a repayment would do, worked out beforehand: which loans get how much, what it covers, which limits come back.

Pure: positions and a request in, a plan or a refusal out. The page shows the plan, the operation carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from fenqi.credit.fold import LoanState
from fenqi.credit.loan_event import Prepayment, Repayment
from fenqi.credit.position import Position, after, give_back
from fenqi.credit.standing import Parts
from fenqi.kernel.money import check_amount_minor
from fenqi.kernel.refusal import Conflict, NotFound, Refusal, Stale
from fenqi.ledger.postings.parts import Charges, Draw

LAST = UUID(int=(1 << 128) - 1)
"""Stands for the id of an event that has not happened: it comes after all that have."""


class _Request(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """All requests; the tag `kind` is in the API. A name misspelt there must not widen what is paid."""


class PayAmount(_Request, frozen=True, tag="amount"):
    """This much: of one loan, or of all of them, what fell due first in front."""

    amount_minor: int
    loan_id: UUID | None = None


class PayInstalment(_Request, frozen=True, tag="instalment"):
    """What is left of a loan's oldest unpaid instalment; `n`, when given, must be that one."""

    loan_id: UUID
    n: int | None = None


class PayOverdue(_Request, frozen=True, tag="overdue"):
    """Everything that is overdue, when it comes to no more than `at_most_minor`."""

    at_most_minor: int | None = None


class Settle(_Request, frozen=True, tag="settle"):
    """One loan wholly, or all of them, when it comes to no more than `at_most_minor`."""

    loan_id: UUID | None = None
    at_most_minor: int | None = None


class FreeLimit(_Request, frozen=True, tag="free_limit"):
    """As much principal of a limit as this, with the costs that go with it, at most `at_most_minor` in all."""

    amount_minor: int
    limit_path: str
    at_most_minor: int | None = None


RepaymentRequest = PayAmount | PayInstalment | PayOverdue | Settle | FreeLimit


class RepaymentPart(msgspec.Struct, frozen=True):
    """What one loan gets: the event, what it pays and lets off, the limits that come back, and the loan after it."""

    loan_id: UUID
    event: Repayment | Prepayment
    paid: Parts
    let_off: Parts
    returned: tuple[Draw, ...]
    state: LoanState


class RepaymentPlan(msgspec.Struct, frozen=True):
    """What a repayment does, loan by loan."""

    parts: tuple[RepaymentPart, ...]

    @property
    def total_minor(self) -> int:
        """What leaves the money account."""
        return sum(part.paid.total_minor for part in self.parts)

    @property
    def let_off_minor(self) -> int:
        """Costs that are not asked for any more."""
        return sum(part.let_off.total_minor for part in self.parts)

    @property
    def freed(self) -> dict[str, int]:
        """What comes back, by limit."""
        sums: dict[str, int] = {}
        for part in self.parts:
            for draw in part.returned:
                sums[draw.path] = sums.get(draw.path, 0) + draw.amount_minor
        return sums


def plan_repayment(positions: Sequence[Position], request: RepaymentRequest, today_on: date) -> RepaymentPlan:
    """The plan of a request on the open loans, given in the order in which they fall due.

    Refuses LOAN_UNKNOWN, AMOUNT_INVALID, REPAYMENT_TOO_LARGE (more than is owed), NOTHING_OWED, INSTALMENT_NOT_NEXT,
    OVERDUE_FIRST (another loan is overdue: money goes there first), and REPAYMENT_COST_CHANGED beyond `at_most_minor`.
    """
    if isinstance(request, PayAmount):
        amounts = _amounts(positions, request)
    elif isinstance(request, PayInstalment):
        amounts = _instalment(positions, request)
    elif isinstance(request, PayOverdue):
        amounts = [(one, one.state.overdue_minor) for one in positions if one.overdue]
    elif isinstance(request, Settle):
        chosen = positions if request.loan_id is None else [_chosen(positions, request.loan_id)]
        amounts = [(one, one.settle.total_minor) for one in chosen]
    else:
        return _at_most(_free(positions, request, today_on), request.at_most_minor)
    if not amounts:
        raise Conflict("NOTHING_OWED", "nothing is owed")
    planned = RepaymentPlan(tuple(_repayment(one, amount_minor, today_on) for one, amount_minor in amounts))
    _refuse_around_overdue(positions, planned)
    return _at_most(planned, getattr(request, "at_most_minor", None))


def plan_to_free(positions: Sequence[Position], path: str, amount_minor: int, today_on: date) -> RepaymentPlan:
    """What it takes to free at least this much of the limit `path`: loans that fall due first are taken first."""
    return plan_repayment(positions, FreeLimit(amount_minor, path), today_on)


def charges_of(parts: Iterable[Parts]) -> Charges:
    """What is paid beside principal, as the ledger's recipes take it."""
    listed = list(parts)
    return Charges(
        sum(one.interest_minor for one in listed),
        sum(one.fee_minor for one in listed),
        sum(one.penalty_minor for one in listed),
    )


def _chosen(positions: Sequence[Position], loan_id: UUID) -> Position:
    for one in positions:
        if one.loan_id == loan_id:
            return one
    raise NotFound("LOAN_UNKNOWN", "no such open loan")


def _amounts(positions: Sequence[Position], request: PayAmount) -> list[tuple[Position, int]]:
    """The amount over the unpaid instalments of the chosen loans, oldest due date first; no loan gets too much."""
    check_amount_minor(request.amount_minor)
    chosen = positions if request.loan_id is None else [_chosen(positions, request.loan_id)]
    owed_minor = sum(one.settle.total_minor for one in chosen)
    if request.amount_minor > owed_minor:
        raise Refusal("REPAYMENT_TOO_LARGE", "that is more than is owed", owed_minor=owed_minor)
    dues = sorted(
        ((row.due_on, place, row.outstanding.total_minor) for place, one in enumerate(chosen) for row in one.unpaid)
    )
    left_minor = request.amount_minor
    shares = [0] * len(chosen)
    for _, place, due_minor in dues:
        share = min(left_minor, due_minor, chosen[place].settle.total_minor - shares[place])
        shares[place] += share
        left_minor -= share
    return [(one, share) for one, share in zip(chosen, shares, strict=True) if share]


def _instalment(positions: Sequence[Position], request: PayInstalment) -> list[tuple[Position, int]]:
    one = _chosen(positions, request.loan_id)
    oldest = one.unpaid[0]
    if request.n is not None and request.n != oldest.n:
        raise Conflict("INSTALMENT_NOT_NEXT", "instalments are paid oldest first", next_n=oldest.n)
    return [(one, min(oldest.outstanding.total_minor, one.settle.total_minor))]


def _free(positions: Sequence[Position], request: FreeLimit, today_on: date) -> RepaymentPlan:
    check_amount_minor(request.amount_minor)
    if any(one.overdue for one in positions):
        raise Conflict("OVERDUE_FIRST", "what is overdue comes first")
    left_minor = request.amount_minor
    parts: list[RepaymentPart] = []
    for one in positions:
        drawn = sum(draw.amount_minor for draw in one.remaining if draw.path == request.limit_path)
        share = min(left_minor, drawn)
        left_minor -= share
        if share == one.outstanding_minor:
            parts.append(_repayment(one, one.settle.total_minor, today_on))
        elif share:
            event = Prepayment(event_id=LAST, on=today_on, amount_minor=share)
            parts.append(_part(one, event, request.limit_path))
    if left_minor:
        freeable_minor = request.amount_minor - left_minor
        raise Refusal("REPAYMENT_TOO_LARGE", "less is owed on that limit", owed_minor=freeable_minor)
    return RepaymentPlan(tuple(parts))


def _repayment(one: Position, amount_minor: int, today_on: date) -> RepaymentPart:
    """A payment on one loan; one that covers what settling costs settles it."""
    settles = amount_minor >= one.settle.total_minor
    return _part(one, Repayment(event_id=LAST, on=today_on, amount_minor=amount_minor, settles=settles), None)


def _part(one: Position, event: Repayment | Prepayment, path: str | None) -> RepaymentPart:
    if one.events and event.on < one.events[-1].on:
        raise Conflict("EVENT_TOO_EARLY", "something later has happened to the loan already")
    state = after(one, event)
    effect = state.effects[-1]
    assert effect.event_id == event.event_id, "the event that has not happened yet comes last"
    assert effect.returned_minor == 0, "no loan gets more than it owes"
    returned = give_back(one.remaining, effect.paid.principal_minor, path)
    return RepaymentPart(one.loan_id, event, effect.paid, effect.let_off, returned, state)


def _refuse_around_overdue(positions: Sequence[Position], planned: RepaymentPlan) -> None:
    """While something is overdue money goes there first: a plan that leaves some of it pays nothing else."""
    after_plan = {part.loan_id: part.state.overdue_minor for part in planned.parts}
    left = [one for one in positions if one.overdue and after_plan.get(one.loan_id, 1)]
    elsewhere = [part for part in planned.parts if not _was_overdue(positions, part.loan_id)]
    if left and elsewhere:
        raise Conflict("OVERDUE_FIRST", "what is overdue comes first", loan_id=str(left[0].loan_id))


def _was_overdue(positions: Sequence[Position], loan_id: UUID) -> bool:
    return bool(_chosen(positions, loan_id).overdue)


def _at_most(planned: RepaymentPlan, at_most_minor: int | None) -> RepaymentPlan:
    if at_most_minor is not None and planned.total_minor > at_most_minor:
        raise Stale("REPAYMENT_COST_CHANGED", "it would cost more than was agreed to", total_minor=planned.total_minor)
    return planned
