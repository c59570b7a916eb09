"""The terms of an instalment plan, as typed values. Everything the engine needs is here and nothing else is.

A `Terms` is built either by code that knows what it wants, or from a document by `document.parse_terms`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from fenqi.kernel.money import Rounding

MAX_INSTALMENTS = 1200
"""A hundred years of months; more is a mistake, and the table would be useless to a person."""

MAX_EVERY = 366
"""The longest step between due dates, in units."""

ZERO = Decimal(0)


class Unit(StrEnum):
    """The unit of the step between due dates."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class DayCount(StrEnum):
    """How a period becomes a fraction of a year."""

    THIRTY_360 = "30/360"
    ACTUAL_360 = "actual/360"
    ACTUAL_365 = "actual/365"
    ACTUAL_ACTUAL = "actual/actual"
    PERIODIC = "periodic"


class YearSplit(StrEnum):
    """Under actual/actual, the day at which a period over New Year is cut."""

    DEC_31 = "dec31"
    JAN_1 = "jan1"


class InterestPeriod(StrEnum):
    """Whether interest follows the days of each period or treats every period alike."""

    DAILY = "daily"
    SAME_AS_PERIOD = "same_as_period"


class Method(StrEnum):
    """How principal and interest are laid over the instalments."""

    EQUAL_INSTALMENT = "equal_instalment"
    EQUAL_PRINCIPAL = "equal_principal"
    FLAT = "flat"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of one plan. Amounts in minor units; rates are fractions (0.12 is 12 %).

    Exactly one of the three rates is meant to be set; `rate_annual` is what the others are turned into, except that
    a flat plan takes `rate_whole_term` as it is. `multiple_minor` 0 means no rounding to whole units.
    `fee_rate_period` is a flat fee of each instalment as a fraction of the first principal, the retail way to charge.
    """

    principal_minor: int
    instalments: int
    disbursed_on: date
    decimals: int = 2
    currency: str = "CNY"
    rate_annual: Decimal = ZERO
    rate_whole_term: Decimal | None = None
    fee_rate_period: Decimal = ZERO
    every: int = 1
    unit: Unit = Unit.MONTH
    first_due_on: date | None = None
    day_count: DayCount = DayCount.THIRTY_360
    year_split: YearSplit = YearSplit.DEC_31
    feb29_rule: bool = False
    interest_period: InterestPeriod = InterestPeriod.DAILY
    method: Method = Method.EQUAL_INSTALMENT
    rounding: Rounding = Rounding.HALF_EVEN
    multiple_minor: int = 0
    down_payment_rate: Decimal = ZERO
    grace_principal: int = 0
    grace_interest: int = 0
    interest_free: int = 0


class Row(msgspec.Struct, frozen=True):
    """One instalment; amounts in minor units, `balance_minor` is the principal left after it."""

    n: int
    due_on: date
    days: int
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    balance_minor: int

    @property
    def due_minor(self) -> int:
        """What is to be paid on the due date."""
        return self.principal_minor + self.interest_minor + self.fee_minor + self.penalty_minor
