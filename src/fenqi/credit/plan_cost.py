"""What a retail plan costs a buyer: equal principal with a flat monthly fee, interest-free, or pay later.

On the quote's path, so it is integer arithmetic and depends on the amount alone; the annual cost of a plan does not
depend on the amount at all and is computed once.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from fenqi.credit.annual_cost import Flow, nominal_rate
from fenqi.kernel.money import split_minor
from fenqi.kernel.refusal import Refusal

PPM = 1_000_000


class PlanCost(msgspec.Struct, frozen=True):
    """A plan priced for an amount, in minor units. `rows` are (principal, fee) by instalment."""

    amount_minor: int
    instalments: int
    total_fee_minor: int
    subsidy_minor: int
    annual_cost_ppm: int
    rows: tuple[tuple[int, int], ...]

    @property
    def per_instalment_minor(self) -> int:
        """What the first instalment comes to; the last differs by the remainder only."""
        return self.rows[0][0] + self.rows[0][1]

    @property
    def total_minor(self) -> int:
        """All that the buyer pays."""
        return self.amount_minor + self.total_fee_minor


def plan_cost(amount_minor: int, instalments: int, fee_rate_ppm: int = 0, subsidised: bool = False) -> PlanCost:
    """The cost of `amount_minor` in `instalments` at a flat fee of `fee_rate_ppm` millionths of it a month.

    The whole fee is rounded once (half to even) and shared equally like the principal, remainders in the last
    instalment: to the cent what `schedule.plan.build` gives for the same terms. With `subsidised` the buyer pays no
    fee and `subsidy_minor` is what the merchant or the platform pays instead. Refuses amounts and counts below one
    and negative fees.
    """
    if amount_minor < 1 or instalments < 1 or fee_rate_ppm < 0:
        raise Refusal("PLAN_INVALID", "a plan needs an amount, an instalment and a fee that is not negative")
    charged = _half_even(amount_minor * fee_rate_ppm * instalments, PPM)
    fee, subsidy = (0, charged) if subsidised else (charged, 0)
    rows = tuple(zip(_shares(amount_minor, instalments), split_minor(fee, instalments), strict=True))
    cost_ppm = nominal_annual_cost_ppm(instalments, 0 if subsidised else fee_rate_ppm)
    return PlanCost(amount_minor, instalments, fee, subsidy, cost_ppm, rows)


@lru_cache(maxsize=4096)
def nominal_annual_cost_ppm(instalments: int, fee_rate_ppm: int) -> int:
    """The nominal annual cost of a monthly flat-fee plan, in millionths, for any amount: monthly IRR times twelve.

    Computed on the unrounded plan, so it is a property of the plan and not of a purchase. The internal rate is the
    measure that the annualised-rate rule of 2021 asks for: the base is what is still owed (see plan.md).
    """
    share = 1.0 / instalments + fee_rate_ppm / PPM
    flows = [Flow(1.0, 0, 0.0), *(Flow(-share, month, 0.0) for month in range(1, instalments + 1))]
    return 0 if fee_rate_ppm == 0 else round(nominal_rate(flows) * 12 * PPM)


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
    return whole + up


def _shares(total_minor: int, parts: int) -> list[int]:
    """Equal rounded shares, the remainder in the last, and never more than is left."""
    share = _half_even(total_minor, parts)
    shares = [share] * min(parts - 1, total_minor // share if share else parts)
    left = total_minor - share * len(shares)
    if len(shares) < parts - 1:
        shares.append(left)
        return shares + [0] * (parts - len(shares))
    return [*shares, left]
