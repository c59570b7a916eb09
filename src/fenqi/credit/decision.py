"""The decision on an application: conditions of a policy table judged on measured inputs. Pure, so that it replays.

The same inputs and the same policy version give the identical decision, with its principal reasons in order of weight.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

Effect = Literal["reject", "review", "points"]
Comparison = Literal["<", "<=", ">", ">=", "=="]
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
MOST_REASONS = 4
"""At most four principal reasons are told, as under Regulation B, commentary 9(b)(2)-1."""

_PPM = 1_000_000
_LONG_MONTHS = 999
"""Stands for a file that is not there: its absence is a condition of its own, not a thin file."""


class BureauFile(msgspec.Struct, frozen=True):
    """What a credit bureau says of a person, in counts and amounts only."""

    lenders_count: int = 0
    """Lenders with an open balance."""
    months_on_file: int = 0
    delinquent_days: int = 0
    """Days past due of the worst open debt elsewhere."""
    inquiries_count: int = 0
    """Inquiries by lenders in the last six months."""
    monthly_obligation_minor: int = 0


class ApplicationInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a decision may look at: derived values, never a name, number or address."""

    real_name: str = "none"
    """none | verified | mismatch"""
    age: int = 0
    region: str = "CN"
    is_student: bool = False
    phone_reachable: bool = False
    card_bound: bool = False
    income_minor: int | None = None
    """Declared monthly income; None when it was left out."""
    income_verified: bool = False
    employment_verified: bool = False
    residence_verified: bool = False
    bureau: BureauFile | None = None
    own_overdue_days: int = 0
    """The worst delay with us so far."""


class Condition(msgspec.Struct, frozen=True):
    """One row of the table: when `measure` compares so with `bound`, the effect holds and the code says why."""

    measure: str
    comparison: Comparison
    bound: int
    effect: Effect
    code: str
    weight: int
    """Points taken off, and the rank among principal reasons: the heaviest first."""


class LimitBand(msgspec.Struct, frozen=True):
    """Scores from `score` on get this share of the declared monthly income, within bounds."""

    score: int
    share_ppm: int
    floor_minor: int
    cap_minor: int


class ApplicationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the table. `bands` from the highest score down; below `pass_score` is a refusal."""

    version: str
    base_score: int
    pass_score: int
    review_score: int
    """From `pass_score` up to this score a person decides."""
    conditions: tuple[Condition, ...]
    bands: tuple[LimitBand, ...]
    step_minor: int = 10_000


class ApplicationDecision(msgspec.Struct, frozen=True):
    """What was decided; `limit_minor` is nothing unless approved."""

    outcome: Literal["approved", "rejected", "review"]
    score: int
    limit_minor: int = 0
    principal_reasons: tuple[str, ...] = ()


def measures(inputs: ApplicationInputs) -> dict[str, int]:
    """The numbers that conditions are written on; truths are 1 and 0, an unknown income counts as nothing."""
    bureau = inputs.bureau or BureauFile()
    income = inputs.income_minor or 0
    return {
        "identity_mismatch": int(inputs.real_name == "mismatch"),
        "is_incomplete": int(inputs.income_minor is None or not inputs.card_bound or not inputs.phone_reachable),
        "income_minor": income,
        "burden_ppm": bureau.monthly_obligation_minor * _PPM // income if income else 0,
        "income_unverified": int(not inputs.income_verified),
        "employment_unverified": int(not inputs.employment_verified),
        "residence_unverified": int(not inputs.residence_verified),
        "without_file": int(inputs.bureau is None),
        "months_on_file": bureau.months_on_file if inputs.bureau else _LONG_MONTHS,
        "lenders_count": bureau.lenders_count,
        "delinquent_days": bureau.delinquent_days,
        "inquiries_count": bureau.inquiries_count,
        "own_overdue_days": inputs.own_overdue_days,
    }


def decide(inputs: ApplicationInputs, policy: ApplicationPolicy) -> ApplicationDecision:
    """Approved with a limit, rejected with one to four principal reasons, or for review by a person."""
    measured = measures(inputs)
    holding = [row for row in policy.conditions if _COMPARE[row.comparison](measured[row.measure], row.bound)]
    score = policy.base_score - sum(row.weight for row in holding)
    refusing = [row for row in holding if row.effect == "reject"]
    if refusing:
        return ApplicationDecision("rejected", score, 0, _principal(refusing))
    if score < policy.pass_score:
        return ApplicationDecision("rejected", score, 0, _principal(holding))
    if score < policy.review_score or any(row.effect == "review" for row in holding):
        return ApplicationDecision("review", score, 0, _principal(holding))
    return ApplicationDecision("approved", score, limit_of(score, inputs.income_minor or 0, policy))


def limit_of(score: int, income_minor: int, policy: ApplicationPolicy) -> int:
    """The limit that the policy's bands give, in whole steps, rounded down."""
    for band in policy.bands:
        if score >= band.score:
            share = income_minor * band.share_ppm // _PPM
            bounded = max(band.floor_minor, min(band.cap_minor, share))
            return bounded // policy.step_minor * policy.step_minor
    return 0


def _principal(rows: list[Condition]) -> tuple[str, ...]:
    heaviest = sorted(rows, key=lambda row: -row.weight)
    return tuple(dict.fromkeys(row.code for row in heaviest))[:MOST_REASONS]
