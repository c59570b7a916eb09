"""Money as whole minor units with a currency, and the one place that splits, rounds and formats it.

Amounts in the rooms are plain integers named `*_minor`; `Money` stands at the edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum

from fenqi.kernel.refusal import Refusal

MAX_AMOUNT_MINOR = 10_000_000_000
"""The largest single amount taken anywhere: ¥100 million. Above it an amount is a mistake, not a purchase."""

_DECIMALS = {"CNY": 2, "USD": 2, "EUR": 2, "GBP": 2, "HKD": 2, "JPY": 0, "KRW": 0, "KWD": 3}


class Rounding(StrEnum):
    """How a fraction of a minor unit is settled; always written at the call."""

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    DOWN = "down"


_DECIMAL_MODE = {
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.DOWN: ROUND_DOWN,
}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's minor unit (fen for CNY)."""

    amount_minor: int
    currency: str = "CNY"

    def __str__(self) -> str:
        return f"{plain_yuan(self.amount_minor, self.currency)} {self.currency}"


def round_minor(value: Decimal, mode: Rounding) -> int:
    """`value` minor units as a whole number, rounded by `mode`."""
    return int(value.quantize(Decimal(1), rounding=_DECIMAL_MODE[mode]))


def split_minor(total_minor: int, parts: int) -> list[int]:
    """`total_minor` in `parts` whole shares: equal ones, the remainder in the last."""
    share = total_minor // parts
    return [share] * (parts - 1) + [total_minor - share * (parts - 1)]


def share_minor(total_minor: int, weights: list[int]) -> list[int]:
    """`total_minor` shared in proportion to non-negative `weights` by largest remainder; sums to the total exactly."""
    whole = sum(weights)
    if whole == 0:
        return split_minor(total_minor, len(weights))
    shares = [total_minor * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total_minor * weights[i] % whole), i))
    for i in order[: total_minor - sum(shares)]:
        shares[i] += 1
    return shares


def decimals_of(currency: str) -> int:
    """Digits behind the point of a currency (ISO 4217); refuses one that fenqi does not keep books in."""
    if currency not in _DECIMALS:
        raise Refusal("CURRENCY_NOT_SUPPORTED", f"currency {currency!r} is not supported")
    return _DECIMALS[currency]


def parse_minor(text: str, currency: str = "CNY") -> int:
    """A decimal string such as "12.34" as minor units; refuses fractions of a minor unit, signs and absurd sizes."""
    decimals = decimals_of(currency)
    try:
        value = Decimal(text.strip())
    except (InvalidOperation, AttributeError):
        raise Refusal("AMOUNT_INVALID", f"{text!r} is not an amount") from None
    if not value.is_finite():
        raise Refusal("AMOUNT_INVALID", f"{text!r} is not an amount")
    scaled = value.scaleb(decimals)
    if scaled != scaled.to_integral_value():
        raise Refusal("AMOUNT_INVALID", f"{text!r} has fractions of the smallest unit")
    return check_amount_minor(int(scaled))


def check_amount_minor(amount_minor: int) -> int:
    """The amount itself when it is above zero and below `MAX_AMOUNT_MINOR`; a refusal otherwise."""
    if not 0 < amount_minor <= MAX_AMOUNT_MINOR:
        raise Refusal("AMOUNT_INVALID", f"the amount must lie between 1 and {MAX_AMOUNT_MINOR} minor units")
    return amount_minor


def plain_yuan(amount_minor: int, currency: str = "CNY") -> str:
    """The amount as a grouped decimal string without a sign of currency: 123456 → "1,234.56"."""
    decimals = decimals_of(currency)
    value = Decimal(amount_minor).scaleb(-decimals)
    return f"{value:,.{decimals}f}"


def yuan(amount_minor: int, currency: str = "CNY") -> str:
    """The amount as people write it: 123456 → "¥1,234.56"; negative amounts carry the sign before the ¥."""
    sign = "-" if amount_minor < 0 else ""
    mark = "¥" if currency == "CNY" else f"{currency} "
    return f"{sign}{mark}{plain_yuan(abs(amount_minor), currency)}"
