"""A plan: the rows of a schedule, their totals and the annualised all-in cost. Pure; knows no cap and no clock.

`build` is the engine's one entry; `document.preview` is the same for JSON in and JSON out.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import msgspec

from fenqi.credit.annual_cost import Flow, nominal_rate
from fenqi.credit.schedule.arithmetic import whole, whole_multiple, working
from fenqi.credit.schedule.day_count import period_factors
from fenqi.credit.schedule.due_date import add_months, due_dates, full_months_between
from fenqi.credit.schedule.method import lay_out
from fenqi.credit.schedule.terms import Row, Terms, Unit
from fenqi.kernel.money import split_minor
from fenqi.kernel.refusal import Refusal

ANNUAL_COST_STEP = Decimal("0.000001")


class Totals(msgspec.Struct, frozen=True):
    """Sums over the rows, in minor units."""

    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    due_minor: int


class Plan(msgspec.Struct, frozen=True):
    """A schedule as computed. `annual_cost` is a nominal annual fraction with six places, e.g. 0.130042."""

    terms: Terms
    rows: tuple[Row, ...]
    totals: Totals
    annual_cost: Decimal


def build(terms: Terms) -> Plan:
    """The plan of `terms`. Refuses graces that leave no instalment to pay in, and dates beyond the calendar."""
    _check(terms)
    due_on = due_dates(terms)
    with localcontext(working(terms.rounding)):
        down = _down_payment(terms)
        lent = terms.principal_minor - down
        parts = lay_out(terms, lent, period_factors(terms, due_on))
        fees = split_minor(whole(lent * terms.fee_rate_period * terms.instalments), terms.instalments)
    rows: list[Row] = []
    balance, start = lent, terms.disbursed_on
    if down:
        rows.append(Row(1, terms.disbursed_on, 0, down, 0, 0, 0, balance))
    for due, (principal, interest), fee in zip(due_on, parts, fees, strict=True):
        balance -= principal
        rows.append(Row(len(rows) + 1, due, (due - start).days, principal, interest, fee, 0, balance))
        start = due
    return Plan(terms, tuple(rows), totals(rows), annual_cost(terms, rows))


def totals(rows: list[Row]) -> Totals:
    """Sums of the rows, column by column."""
    return Totals(
        sum(row.principal_minor for row in rows),
        sum(row.interest_minor for row in rows),
        sum(row.fee_minor for row in rows),
        sum(row.penalty_minor for row in rows),
        sum(row.due_minor for row in rows),
    )


def periods_per_year(terms: Terms) -> Fraction:
    """How many regular periods a year has: 12 months, 52 weeks or 365 days over the step."""
    return Fraction({Unit.MONTH: 12, Unit.WEEK: 52, Unit.DAY: 365}[terms.unit], terms.every)


def annual_cost(terms: Terms, rows: list[Row]) -> Decimal:
    """The nominal annual rate at which the rows are worth what was disbursed: rate a period times periods a year.

    An odd first period is a whole number of periods and a fraction, as in Regulation Z, Appendix J (b)(5).
    """
    first = _first_period(terms)
    flows = [Flow(terms.principal_minor, 0, 0.0)]
    instalment = 0
    for row in rows:
        if row.days == 0 and row.due_on == terms.disbursed_on:
            flows.append(Flow(-row.due_minor, 0, 0.0))
            continue
        at = first + instalment
        flows.append(Flow(-row.due_minor, int(at), float(at - int(at))))
        instalment += 1
    nominal = nominal_rate(flows) * float(periods_per_year(terms))
    return Decimal(repr(nominal)).quantize(ANNUAL_COST_STEP)


def _first_period(terms: Terms) -> Fraction:
    first = terms.first_due_on
    if first is None:
        return Fraction(1)
    days = (first - terms.disbursed_on).days
    if terms.unit is Unit.MONTH:
        months = full_months_between(terms.disbursed_on, first)
        left = (first - add_months(terms.disbursed_on, months)).days
        return (months + Fraction(left, 30)) / terms.every
    return Fraction(days, terms.every * (7 if terms.unit is Unit.WEEK else 1))


def _down_payment(terms: Terms) -> int:
    if not terms.down_payment_rate:
        return 0
    share = whole(terms.principal_minor * terms.down_payment_rate)
    return min(whole_multiple(share, terms.multiple_minor), terms.principal_minor)


def _check(terms: Terms) -> None:
    if terms.grace_principal >= terms.instalments:
        raise Refusal("GRACE_TOO_LONG", "no instalment is left to repay principal in", field="grace_principal")
    if terms.grace_interest >= terms.instalments:
        raise Refusal("GRACE_TOO_LONG", "no instalment is left to pay deferred interest in", field="grace_interest")
    if terms.interest_free > terms.instalments:
        raise Refusal("GRACE_TOO_LONG", "more interest-free instalments than instalments", field="interest_free")
    if terms.first_due_on is not None and terms.first_due_on <= terms.disbursed_on:
        raise Refusal("FIRST_DUE_TOO_EARLY", "the first due date must follow the disbursement", field="first_due_on")
