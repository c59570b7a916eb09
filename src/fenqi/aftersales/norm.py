"""The norms: per kind of case how long it may take, how it can end, and which ends need a second person. Pure data.

A version of the norms is never changed: decisions name the version they were made under.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from fenqi.aftersales.model import Kind
from fenqi.kernel.reason import CODES
from fenqi.kernel.refusal import Refusal
from fenqi.kernel.working_hours import DAY, HOUR, add_working_minutes

VERSION = "norms-1"
MORE_INFORMATION = "more_information"
_ALWAYS = 0
_URGENT_FROM_MINOR = 2_000_000
"""From ¥20,000 on a case is looked at one step earlier."""
REASONS_MOST = 4


class Norm(msgspec.Struct, frozen=True):
    """What holds for one kind of case."""

    working_minutes: int
    """From opening to the decision, while people work and nobody waits for the buyer."""
    priority: int
    outcomes: tuple[str, ...]
    """How it can end."""
    second_from_minor: Mapping[str, int]
    """Outcomes that a second person decides, from this amount on (0: always)."""
    needs_reasons: frozenset[str] = frozenset()
    """Outcomes that name their reasons: codes of a refusal."""


NORMS: Mapping[str, Mapping[Kind, Norm]] = {
    "norms-1": {
        Kind.PAYMENT_REVIEW: Norm(
            4 * HOUR, 1, ("cleared", "confirmed"), {"cleared": 500_000, "confirmed": _ALWAYS}, frozenset({"confirmed"})
        ),
        Kind.APPLICATION_REVIEW: Norm(DAY, 2, ("approved", "rejected"), {"approved": _ALWAYS}, frozenset({"rejected"})),
        Kind.APPEAL: Norm(3 * DAY, 3, ("upheld", "dismissed"), {"upheld": _ALWAYS}, frozenset({"dismissed"})),
        Kind.RAISE_LIMIT: Norm(DAY, 3, ("approved", "rejected"), {"approved": _ALWAYS}, frozenset({"rejected"})),
        Kind.POLICY_MISSING: Norm(4 * HOUR, 2, ("policy_amended", "not_offered", "duplicate"), {}),
        Kind.COMPLAINT: Norm(2 * DAY, 2, ("upheld", "dismissed", "passed_on"), {"upheld": 100_000}),
        Kind.QUESTION: Norm(DAY, 3, ("answered", "passed_on"), {}),
    }
}
"""In upholding an appeal or a complaint the buyer is found right; what is cleared or approved may go on."""


def norm_of(kind: Kind, version: str = VERSION) -> Norm:
    """The norm in force for a kind."""
    return NORMS[version][kind]


def due_at(kind: Kind, opened_at: datetime) -> datetime:
    """By when a case opened at this instant is to be decided."""
    return add_working_minutes(opened_at, norm_of(kind).working_minutes)


def priority_of(kind: Kind, amount_minor: int | None) -> int:
    """How early it is looked at: 1 first."""
    urgent = amount_minor is not None and amount_minor >= _URGENT_FROM_MINOR
    return max(1, norm_of(kind).priority - urgent)


def needs_second(kind: Kind, outcome: str, amount_minor: int | None, version: str = VERSION) -> bool:
    """Whether a second person has to decide this outcome."""
    from_minor = norm_of(kind, version).second_from_minor.get(outcome)
    return from_minor is not None and (from_minor == _ALWAYS or (amount_minor or 0) >= from_minor)


def check_verdict(kind: Kind, outcome: str, reasons: tuple[str, ...], version: str = VERSION) -> None:
    """Refuse OUTCOME_UNKNOWN for what this kind can't end with, and REASONS_REQUIRED for what needs one to four codes
    of the dictionary and has none, has others, or has more."""
    norm = norm_of(kind, version)
    if outcome not in norm.outcomes:
        raise Refusal("OUTCOME_UNKNOWN", f"a {kind} ends as one of {', '.join(norm.outcomes)}")
    unknown = [code for code in reasons if code not in CODES]
    if unknown or len(reasons) > REASONS_MOST or (outcome in norm.needs_reasons and not reasons):
        raise Refusal("REASONS_REQUIRED", "one to four codes of the dictionary of reasons", unknown=unknown)
