"""The probability of an existing consumer's going bad within a year, from their own history with us. Pure.

A declared table of odds ratios (`behaviour.json`), not a trained card: its numbers are assumptions of the demo.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import msgspec

_PPM = 1_000_000


class Factor(msgspec.Struct, frozen=True):
    """Up to this value of the measure (None: above the row before) the odds are multiplied so."""

    measure: str
    upto: int | None
    factor_ppm: int


class Behaviour(msgspec.Struct, frozen=True):
    """The table. For each measure its first row that reaches the value applies."""

    version: str
    note: str
    base_odds_ppm: int
    most_ppm: int
    rows: tuple[Factor, ...]

    def pd_ppm(self, measured: Mapping[str, int]) -> int:
        """odds = base x product of factors; probability = odds / (1 + odds), in millionths, rounded down each time."""
        odds_ppm = self.base_odds_ppm
        for measure, value in measured.items():
            odds_ppm = odds_ppm * self._factor_ppm(measure, value) // _PPM
        return min(self.most_ppm, odds_ppm * _PPM // (_PPM + odds_ppm))

    def _factor_ppm(self, measure: str, value: int) -> int:
        return next(
            row.factor_ppm for row in self.rows if row.measure == measure and (row.upto is None or value <= row.upto)
        )


BEHAVIOUR = msgspec.json.decode(files("fenqi.risk.scorecard").joinpath("behaviour.json").read_bytes(), type=Behaviour)


@lru_cache(maxsize=4096)
def behaviour_pd(*, months_on_book: int, clean_months: int, overdue_days: int, limit_used_ppm: int) -> int:
    """Millionths. `clean_months`: months in a row without a day overdue; `overdue_days`: of the oldest debt now."""
    return BEHAVIOUR.pd_ppm(
        {
            "months_on_book": months_on_book,
            "clean_months": clean_months,
            "overdue_days": overdue_days,
            "limit_used_ppm": limit_used_ppm,
        }
    )
