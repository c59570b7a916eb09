"""The arithmetic of schedules: decimal with a fixed number of digits, and the two roundings of an instalment.

One place that rounds: to whole minor units, then to whole multiples where the terms ask for it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from fenqi.kernel.money import Rounding

CONTEXT_DIGITS = 19
"""Significant digits kept between steps, as in the lending systems whose schedules the tests compare with."""

_FACTOR_STEP = Decimal("1e-19")
_WIDE = Context(prec=60)
_CONTEXTS = {
    Rounding.HALF_EVEN: Context(prec=CONTEXT_DIGITS, rounding=ROUND_HALF_EVEN),
    Rounding.HALF_UP: Context(prec=CONTEXT_DIGITS, rounding=ROUND_HALF_UP),
}


def working(rounding: Rounding) -> Context:
    """The decimal context of a plan; every step of it rounds by the plan's own mode."""
    return _CONTEXTS[rounding]


def factor(value: Decimal, rounding: Rounding) -> Decimal:
    """A period's interest on one unit of balance, held to 19 places behind the point."""
    return value.quantize(_FACTOR_STEP, _CONTEXTS[rounding].rounding, _WIDE)


def whole(value: Decimal) -> int:
    """`value` as whole minor units, by the mode of the current context."""
    return int(value.to_integral_value())


def whole_multiple(amount_minor: int, multiple_minor: int) -> int:
    """The nearest whole multiple, by the mode of the current context; the amount itself if that would be nothing."""
    if multiple_minor <= 1:
        return amount_minor
    rounded = whole(Decimal(amount_minor) / multiple_minor) * multiple_minor
    return amount_minor if rounded == 0 else rounded
