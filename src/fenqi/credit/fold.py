"""A loan as the pure fold of its events over its schedule: what is paid, owed, overdue, and by which event.

Back-dating is inserting an event and folding again; `changes` gives the difference to post. No clock: the day as of
which the loan is looked at is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Literal
from uuid import UUID

import msgspec

from fenqi.credit.loan_event import (
    Cancellation,
    Drawdown,
    LoanEvent,
    PartName,
    Penalty,
    Prepayment,
    Refund,
    Repayment,
    Waiver,
    in_order,
)
from fenqi.credit.schedule.plan import build
from fenqi.credit.schedule.terms import Row, Terms
from fenqi.credit.standing import PARTS, Parts, Standing, nothing, parts_of, standings
from fenqi.kernel.refusal import Refusal


class FoldPolicy(msgspec.Struct, frozen=True):
    """What contracts choose. `allocation` is the order within an instalment; instalments are paid oldest first.

    `early_settlement`: with "fees_waived" fees and interest of instalments whose period has not begun are let off when
    a loan is settled early; with "fees_due" all of them are due.
    """

    allocation: tuple[PartName, ...] = ("penalty", "fee", "interest", "principal")
    early_settlement: Literal["fees_waived", "fees_due"] = "fees_waived"


DEFAULT_POLICY = FoldPolicy()
_COSTS: tuple[PartName, ...] = ("penalty", "fee", "interest")


class Instalment(msgspec.Struct, frozen=True):
    """One instalment as it stands. Let-off principal is what refunds and cancellations took away."""

    n: int
    due_on: date
    owed: Parts
    paid: Parts
    let_off: Parts
    outstanding: Parts


class Effect(msgspec.Struct, frozen=True):
    """What one event did. `returned_minor` goes back to the paying account; `paid` is negative where it undoes."""

    event_id: UUID
    on: date
    paid: Parts
    let_off: Parts
    charged: Parts
    returned_minor: int


class LoanState(msgspec.Struct, frozen=True):
    """A loan as of a day. Overdue is what was due before that day; `days_past_due` counts from the oldest of it."""

    as_of_on: date
    rows: tuple[Instalment, ...]
    outstanding: Parts
    overdue_minor: int
    days_past_due: int
    due_today_minor: int
    next_due_on: date | None
    next_due_minor: int
    returned_minor: int
    closed: bool
    effects: tuple[Effect, ...]


class Settlement(msgspec.Struct, frozen=True):
    """What it takes to settle early: `due` to pay, `let_off` not asked for."""

    due: Parts
    let_off: Parts


def fold(terms: Terms, events: Sequence[LoanEvent], as_of_on: date, policy: FoldPolicy = DEFAULT_POLICY) -> LoanState:
    """The loan of `terms` after those of `events` that lie on or before `as_of_on`, in whatever order they come.

    Refuses a drawdown that is not that of the terms, amounts below one, and penalties or waivers of an instalment
    that does not exist.
    """
    found = standings(_rows(terms), terms.disbursed_on)
    effects = [_apply(found, terms, event, policy) for event in in_order(list(events)) if event.on <= as_of_on]
    return _state(found, effects, as_of_on)


def settlement(terms: Terms, events: Sequence[LoanEvent], on: date, policy: FoldPolicy = DEFAULT_POLICY) -> Settlement:
    """What a settling repayment on this day, after all others of the day, has to pay, and what it lets off."""
    found = standings(_rows(terms), terms.disbursed_on)
    for event in in_order(list(events)):
        if event.on <= on:
            _apply(found, terms, event, policy)
    let_off = nothing()
    _let_off_unbegun(found, on, policy, let_off)
    return Settlement(parts_of(_left(found)), parts_of(let_off))


def changes(before: LoanState, after: LoanState) -> tuple[Effect, ...]:
    """By event, how much more (or, negative, less) it does in `after` than in `before`; what is equal is left out."""
    was = {effect.event_id: effect for effect in before.effects}
    now = {effect.event_id: effect for effect in after.effects}
    found: list[Effect] = []
    for event_id in {**was, **now}:
        change = _less(now.get(event_id), was.get(event_id))
        if change is not None:
            found.append(change)
    return tuple(found)


@lru_cache(maxsize=2048)
def _rows(terms: Terms) -> tuple[Row, ...]:
    return build(terms).rows


def _apply(found: list[Standing], terms: Terms, event: LoanEvent, policy: FoldPolicy) -> Effect:
    paid, let_off, charged = nothing(), nothing(), nothing()
    returned = 0
    _check(event, terms, len(found))
    if isinstance(event, Repayment):
        if event.settles:
            _let_off_if_enough(found, event, policy, let_off)
        returned = _repay(found, event.amount_minor, policy, paid)
    elif isinstance(event, Prepayment):
        _prepay(found, event, policy, paid, let_off)
    elif isinstance(event, Refund):
        returned = _take_back(found, event.amount_minor, event.on, let_off)
    elif isinstance(event, Cancellation):
        if event.amount_minor is None:
            returned = _undo(found, paid, let_off)
        else:
            returned = _take_back(found, event.amount_minor, event.on, let_off)
    elif isinstance(event, Waiver):
        _waive(found, event, let_off)
    elif isinstance(event, Penalty):
        found[event.n - 1].owed["penalty"] += event.amount_minor
        charged["penalty"] = event.amount_minor
    return Effect(event.event_id, event.on, parts_of(paid), parts_of(let_off), parts_of(charged), returned)


def _check(event: LoanEvent, terms: Terms, count: int) -> None:
    amount_minor = event.amount_minor
    if amount_minor is not None and amount_minor < 1:
        raise Refusal("AMOUNT_INVALID", "an event's amount is above zero")
    if event.on < terms.disbursed_on:
        raise Refusal("EVENT_TOO_EARLY", "nothing happens to a loan before it is paid out")
    if isinstance(event, Drawdown) and (event.on, amount_minor) != (terms.disbursed_on, terms.principal_minor):
        raise Refusal("DRAWDOWN_DIFFERS", "the drawdown is not that of the terms")
    if isinstance(event, Penalty | Waiver) and event.n is not None and not 1 <= event.n <= count:
        raise Refusal("INSTALMENT_UNKNOWN", f"the loan has instalments 1 to {count}")


def _repay(found: list[Standing], amount_minor: int, policy: FoldPolicy, paid: dict[PartName, int]) -> int:
    """Oldest instalment first, within it by the policy's order; gives what is too much."""
    for standing in found:
        if amount_minor == 0:
            return 0
        amount_minor = standing.pay(amount_minor, policy.allocation, paid)
    return amount_minor


def _prepay(
    found: list[Standing],
    event: Prepayment,
    policy: FoldPolicy,
    paid: dict[PartName, int],
    let_off: dict[PartName, int],
) -> None:
    """Pay this much principal from the last instalment backwards; the schedule keeps its dates and gets shorter.

    Its costs go with it in proportion: let off where early settlement would spare them (rounded up), paid where it
    would not (rounded down). So prepaying all principal costs what settling costs.
    """
    left = event.amount_minor
    if left > sum(standing.left("principal") for standing in found):
        raise Refusal("PREPAYMENT_TOO_LARGE", "no more principal can be paid ahead than is owed")
    spared = {standing.n for standing in _unbegun(found, event.on, policy)}
    for standing in reversed(found):
        before = standing.left("principal")
        taken = min(left, before)
        if taken:
            _prepay_costs(standing, taken, before, standing.n in spared, paid, let_off)
            left -= standing.pay_part("principal", taken, paid)
    if not any(standing.left("principal") for standing in found):
        for standing in found:
            _prepay_costs(standing, 1, 1, standing.n in spared, paid, let_off)


def _prepay_costs(
    standing: Standing, taken: int, before: int, spared: bool, paid: dict[PartName, int], let_off: dict[PartName, int]
) -> None:
    """The costs of `taken` out of `before` principal of an instalment: let off or paid, penalties always paid."""
    for part in _COSTS:
        if spared and part != "penalty":
            _take_back_costs(standing, part, taken, before, let_off)
        else:
            standing.pay_part(part, standing.left(part) * taken // before, paid)


def _let_off_if_enough(
    found: list[Standing], event: Repayment, policy: FoldPolicy, let_off: dict[PartName, int]
) -> None:
    """Let off what early settlement spares, if the payment then settles; else it is an ordinary repayment."""
    spared = sum(_spared(standing) for standing in _unbegun(found, event.on, policy))
    if event.amount_minor >= sum(_left(found).values()) - spared:
        _let_off_unbegun(found, event.on, policy, let_off)


def _let_off_unbegun(found: list[Standing], on: date, policy: FoldPolicy, let_off: dict[PartName, int]) -> None:
    for standing in _unbegun(found, on, policy):
        standing.forgive("fee", standing.left("fee"), let_off)
        standing.forgive("interest", standing.left("interest"), let_off)


def _unbegun(found: list[Standing], on: date, policy: FoldPolicy) -> list[Standing]:
    if policy.early_settlement == "fees_due":
        return []
    return [standing for standing in found if standing.begun_on >= on]


def _spared(standing: Standing) -> int:
    return standing.left("fee") + standing.left("interest")


def _take_back(found: list[Standing], amount_minor: int, on: date, let_off: dict[PartName, int]) -> int:
    """Take unpaid principal away from the last instalment backwards, its unpaid fee and interest in proportion.

    What was paid stays paid; what is left over goes back to the paying account. Once no principal is left, periods
    that have not begun cost nothing either.
    """
    for standing in reversed(found):
        before = standing.left("principal")
        taken = standing.forgive("principal", amount_minor, let_off)
        amount_minor -= taken
        if taken:
            _take_back_costs(standing, "fee", taken, before, let_off)
            _take_back_costs(standing, "interest", taken, before, let_off)
    if not any(standing.left("principal") for standing in found):
        for standing in found:
            if standing.begun_on >= on:
                standing.forgive("fee", standing.left("fee"), let_off)
                standing.forgive("interest", standing.left("interest"), let_off)
    return amount_minor


def _take_back_costs(standing: Standing, part: PartName, taken: int, before: int, let_off: dict[PartName, int]) -> None:
    """Let off an unpaid cost in proportion to the principal taken from what was unpaid of it, in the buyer's favour."""
    standing.forgive(part, -(-standing.left(part) * taken // before), let_off)


def _undo(found: list[Standing], paid: dict[PartName, int], let_off: dict[PartName, int]) -> int:
    """As if the loan had never been: everything paid goes back, everything owed is let off."""
    returned = 0
    for standing in found:
        for part in PARTS:
            returned += standing.paid[part]
            paid[part] -= standing.paid[part]
            standing.paid[part] = 0
            standing.forgive(part, standing.left(part), let_off)
    return returned


def _waive(found: list[Standing], event: Waiver, let_off: dict[PartName, int]) -> None:
    left = event.amount_minor
    for standing in found:
        if event.n is None or event.n == standing.n:
            left -= standing.forgive(event.part, left, let_off)


def _left(found: list[Standing]) -> dict[PartName, int]:
    return {part: sum(standing.left(part) for standing in found) for part in PARTS}


def _state(found: list[Standing], effects: list[Effect], as_of_on: date) -> LoanState:
    unpaid = [standing for standing in found if standing.outstanding_minor]
    overdue = [standing for standing in unpaid if standing.due_on < as_of_on]
    ahead = [standing for standing in unpaid if standing.due_on >= as_of_on]
    return LoanState(
        as_of_on=as_of_on,
        rows=tuple(_instalment(standing) for standing in found),
        outstanding=parts_of(_left(found)),
        overdue_minor=sum(standing.outstanding_minor for standing in overdue),
        days_past_due=(as_of_on - overdue[0].due_on).days if overdue else 0,
        due_today_minor=sum(standing.outstanding_minor for standing in ahead if standing.due_on == as_of_on),
        next_due_on=ahead[0].due_on if ahead else None,
        next_due_minor=ahead[0].outstanding_minor if ahead else 0,
        returned_minor=sum(effect.returned_minor for effect in effects),
        closed=not unpaid,
        effects=tuple(effects),
    )


def _instalment(standing: Standing) -> Instalment:
    outstanding = {part: standing.left(part) for part in PARTS}
    return Instalment(
        standing.n,
        standing.due_on,
        parts_of(standing.owed),
        parts_of(standing.paid),
        parts_of(standing.let_off),
        parts_of(outstanding),
    )


def _less(now: Effect | None, was: Effect | None) -> Effect | None:
    known = now or was
    if known is None or now == was:
        return None
    none = Effect(known.event_id, known.on, Parts(), Parts(), Parts(), 0)
    one, two = now or none, was or none
    return Effect(
        known.event_id,
        known.on,
        _minus(one.paid, two.paid),
        _minus(one.let_off, two.let_off),
        _minus(one.charged, two.charged),
        one.returned_minor - two.returned_minor,
    )


def _minus(one: Parts, two: Parts) -> Parts:
    return Parts(
        one.penalty_minor - two.penalty_minor,
        one.fee_minor - two.fee_minor,
        one.interest_minor - two.interest_minor,
        one.principal_minor - two.principal_minor,
    )
