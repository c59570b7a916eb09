"""The decision on an application, from what the policy's tables said of it. Pure, so that it replays.

The same inputs under the same policy version give the identical decision, its principal reasons in order of weight.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

import msgspec

BASE_SCORE = 700
"""The scale of the judgement: what an applicant has against whom nothing speaks."""
STEP_MINOR = 10_000
"""Limits are whole multiples of ¥100."""
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
    opened_12m_count: int = 0
    """Accounts opened with lenders in the last twelve months."""
    used_ppm: int = 0
    """Balances to limits, over all accounts."""


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
    segments: tuple[str, ...] = ()


class Objection(msgspec.Struct, frozen=True):
    """A row of the policy that speaks against the applicant. Without a code of its own it speaks for the scorecard."""

    rule_id: str
    effect: str
    """reject | review | points"""
    code: str
    weight: int
    """Points taken off, and the rank among principal reasons: the heaviest first."""


class LimitBand(msgspec.Struct, frozen=True):
    """The limit that the policy gives: a share of the monthly income within bounds; `review`: a person decides."""

    rule_id: str
    share_ppm: int
    floor_minor: int
    cap_minor: int
    review: bool = False


class Assessed(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy said of an applicant, and the scorecard: kept with the application."""

    policy_version: str
    objections: tuple[Objection, ...] = ()
    band: LimitBand | None = None
    """None where nothing was asked, after a refusal, and where the policy gives no limit."""
    missing: tuple[str, ...] = ()
    """What a row tests and nobody knows: then a person decides, unless it is a refusal whatever that were."""
    card: str = ""
    """The scorecard's version."""
    points: int | None = None
    pd_ppm: int | None = None
    score_reasons: tuple[str, ...] = ()


class ApplicationPolicy(Protocol):
    """A version of the policy, ready to be asked."""

    @property
    def version(self) -> str:
        """Its number."""

    def assess(self, inputs: ApplicationInputs) -> Assessed:
        """What it says of an applicant."""


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


def scored(inputs: ApplicationInputs) -> dict[str, int | None]:
    """What the scorecard looks at; without a bureau's file none of it is known."""
    bureau = inputs.bureau
    return {
        "inquiries_count": bureau.inquiries_count if bureau else None,
        "opened_12m_count": bureau.opened_12m_count if bureau else None,
        "used_ppm": bureau.used_ppm if bureau else None,
    }


def score_of(objections: Iterable[Objection]) -> int:
    """The judgement's score: the scale less every weight."""
    return BASE_SCORE - sum(row.weight for row in objections)


def is_refused(objections: Iterable[Objection]) -> bool:
    """Whether a row refuses by itself, so that no limit needs to be asked for."""
    return any(row.effect == "reject" for row in objections)


def decide(inputs: ApplicationInputs, assessed: Assessed) -> ApplicationDecision:
    """Approved with a limit, rejected with one to four principal reasons, or for review by a person.

    A refusal for which there is no reason to tell is none: it goes to a person.
    """
    rows, band = assessed.objections, assessed.band
    score = score_of(rows)
    reasons = _principal(rows, assessed.score_reasons)
    refusing = _principal([row for row in rows if row.effect == "reject"], assessed.score_reasons)
    if refusing:
        return ApplicationDecision("rejected", score, 0, refusing)
    if assessed.missing or any(row.effect != "points" for row in rows):
        return ApplicationDecision("review", score, 0, reasons)
    limit_minor = 0 if band is None else limit_of(band, inputs.income_minor or 0)
    if limit_minor == 0 and (reasons or assessed.score_reasons):
        return ApplicationDecision("rejected", score, 0, reasons or assessed.score_reasons[:MOST_REASONS])
    if limit_minor == 0 or (band is not None and band.review):
        return ApplicationDecision("review", score, 0, reasons)
    return ApplicationDecision("approved", score, limit_minor)


def limit_of(band: LimitBand, income_minor: int) -> int:
    """The limit that a band gives, in whole steps, rounded down."""
    share = income_minor * band.share_ppm // _PPM
    return max(band.floor_minor, min(band.cap_minor, share)) // STEP_MINOR * STEP_MINOR


def _principal(rows: Iterable[Objection], score_reasons: tuple[str, ...]) -> tuple[str, ...]:
    heaviest = sorted(rows, key=lambda row: -row.weight)
    codes = [code for row in heaviest for code in ((row.code,) if row.code else score_reasons)]
    return tuple(dict.fromkeys(codes))[:MOST_REASONS]
