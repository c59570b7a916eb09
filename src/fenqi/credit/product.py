"""The credit product's parameters, as versioned data: what public pages contradict one another on is a choice here.

A loan names the version it was made under; its fees, early settlement and refunds follow that version to the end.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from fenqi.credit.fold import FoldPolicy
from fenqi.credit.model import ConsentKind
from fenqi.credit.schedule import Method, Terms

_PPM = Decimal(1_000_000)


class RefundRules(msgspec.Struct, frozen=True):
    """In which order the tenders of a purchase get back what is refunded of it in parts.

    "proportional": each of them its part, to the fen. "credit_first": what was drawn on limits, then what channels
    took, then the money account. "channel_first": what channels took, then what was drawn, then the money account.
    Whatever the order, no tender gets back more than it paid.
    """

    order: Literal["proportional", "credit_first", "channel_first"] = "proportional"


class CreditProduct(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the line's rules; amounts in fen, periods in days."""

    version: str
    agreement_version: str = "agreement-2026-1"
    consent_versions: tuple[tuple[ConsentKind, str], ...] = (
        (ConsentKind.BUREAU, "bureau-2026-1"),
        (ConsentKind.PERSONAL_INFORMATION, "personal-information-2026-1"),
    )
    fold: FoldPolicy = FoldPolicy()
    """The order in which a payment covers an instalment, and which fees an early settlement spares."""
    refunds: RefundRules = RefundRules()
    """What a refund in parts gives back first, when credit was not the only tender."""
    cooling_off_days: int = 30
    closed_cooling_off_days: int = 0
    review_hours: int = 24
    loans_cap: int = 30
    notice_days: int = 30
    """How long a cut of the limit is told as the reason of a refusal."""
    observed_after_days: int = 30
    """An overdue debt longer than this puts the line under observation when it is cleared."""
    observation_days: int = 30
    age_min: int = 18
    age_max: int | None = None
    regions: tuple[str, ...] = ("CN",)


class LoanPlan(msgspec.Struct, frozen=True):
    """What a buyer chose: the plan's code, its count of instalments, and its flat fee.

    `fee_rate_ppm` is the fee of one period in millionths of the first principal. With `subsidised` the fee is paid by
    the merchant or the platform: the buyer's schedule carries none, and `subsidy_minor` says how much it is.
    """

    plan: str
    instalments: int
    fee_rate_ppm: int = 0
    subsidised: bool = False


def terms_of(plan: LoanPlan, principal_minor: int, disbursed_on: date) -> Terms:
    """The engine's terms of a loan on this plan: equal principal and a flat fee in each of the monthly instalments."""
    return Terms(
        principal_minor=principal_minor,
        instalments=plan.instalments,
        disbursed_on=disbursed_on,
        method=Method.EQUAL_PRINCIPAL,
        fee_rate_period=Decimal(0 if plan.subsidised else plan.fee_rate_ppm) / _PPM,
    )
