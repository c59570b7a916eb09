"""Rates that make cash flows balance: the root of a present value, found inside a bracket. Rates only, never money.

Used by plans (nominal annual cost), by the APR methods of `apr.py`, and checked against pyxirr in the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fenqi.kernel.refusal import Refusal

_ROOT_STEPS = 200
_LOWEST = -0.999999
_HIGHEST = 1e9


class Flow(NamedTuple):
    """Money received (positive) or paid (negative), `periods` whole periods and a `fraction` after the start."""

    amount: float
    periods: int
    fraction: float


def present_value(flows: Sequence[Flow], rate: float) -> float:
    """Σ amount ÷ ((1 + fraction·rate)(1 + rate)^periods), the general equation of Regulation Z, Appendix J (b)(8)."""
    return sum(flow.amount / (1.0 + flow.fraction * rate) / _growth(rate, flow.periods) for flow in flows)


def nominal_rate(flows: Sequence[Flow]) -> float:
    """The rate a period at which the flows balance. Refuses flows that no rate can balance."""
    if sum(flow.amount for flow in flows) == 0:
        return 0.0
    return root(lambda rate: present_value(flows, rate))


def effective_rate(flows: Sequence[tuple[float, float]]) -> float:
    """The annual rate x at which Σ amount ÷ (1 + x)^years is nothing; flows are (amount, years)."""
    if sum(amount for amount, _ in flows) == 0:
        return 0.0
    return root(lambda rate: sum(amount / _growth(rate, years) for amount, years in flows))


def _growth(rate: float, periods: float) -> float:
    """(1 + rate)^periods, kept inside what a float can hold: the tails of a bracket may leave it."""
    try:
        return (1.0 + rate) ** periods or sys.float_info.min
    except OverflowError:
        return sys.float_info.max


def root(value: Callable[[float], float]) -> float:
    """The zero of `value` nearest to no rate at all, by widening a bracket and then closing it (Brent's idea,
    with the safe half of it: secant steps, halving whenever they are slow). Refuses if none is found."""
    low, high = _bracket(value)
    return _close_in(value, low, high)


def _bracket(value: Callable[[float], float]) -> tuple[float, float]:
    at_zero = value(0.0)
    if at_zero == 0.0:
        return 0.0, 0.0
    up, down, step = 0.0, 0.0, 0.01
    while up < _HIGHEST:
        above = min(up + step, _HIGHEST)
        if (value(above) > 0.0) != (at_zero > 0.0):
            return up, above
        up, step = above, step * 2.0
        below = max(down - (down - _LOWEST) * 0.25, _LOWEST)
        if below < down and (value(below) > 0.0) != (at_zero > 0.0):
            return below, down
        down = below
    raise Refusal("NO_RATE", "no rate makes these advances and payments balance")


def _close_in(value: Callable[[float], float], low: float, high: float) -> float:
    """Regula falsi with the Illinois weight, halving every third step; ends at full float precision."""
    at_low, at_high = value(low), value(high)
    side = 0
    for step in range(_ROOT_STEPS):
        if at_low == 0.0:
            return low
        if at_high == 0.0 or high - low <= 1e-15 * max(1.0, abs(high)):
            return high
        guess = (low + high) / 2.0 if step % 3 == 2 else (low * at_high - high * at_low) / (at_high - at_low)
        if not low < guess < high:
            guess = (low + high) / 2.0
        at_guess = value(guess)
        if (at_guess > 0.0) == (at_low > 0.0):
            low, at_low = guess, at_guess
            at_high = at_high / 2.0 if side == 1 else at_high
            side = 1
        else:
            high, at_high = guess, at_guess
            at_low = at_low / 2.0 if side == -1 else at_low
            side = -1
    return (low + high) / 2.0
