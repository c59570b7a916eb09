"""Repayment gates: what is owed and was owed, here and elsewhere."""

from __future__ import annotations

from datetime import date

from fenqi.cashier.case import Case, end_of_day_ms
from fenqi.kernel.reason import Reason, ScopeKind


def repayment(case: Case) -> list[Reason]:
    """OVERDUE_CURRENT, OVERDUE_RECENT_HISTORY, OVERDUE_WITH_OTHERS, REPAYMENT_DISPUTED, COLLECTIONS_OR_LEGAL,
    HARDSHIP_PLAN_ACTIVE."""
    if not case.is_credit:
        return []
    credit = case.facts.credit
    found: list[Reason] = []
    if credit.overdue_minor > 0:
        found.append(
            case.reason(
                "OVERDUE_CURRENT",
                ScopeKind.ACCOUNT,
                observed={"overdue_minor": credit.overdue_minor, "overdue_days": credit.overdue_days},
                required={"overdue_minor": 0},
            )
        )
    if _runs(case, credit.observed_until_on):
        found.append(_until(case, "OVERDUE_RECENT_HISTORY", credit.observed_until_on))
    if credit.overdue_with_others:
        found.append(case.reason("OVERDUE_WITH_OTHERS", ScopeKind.ACCOUNT))
    if credit.dispute_case is not None:
        found.append(case.reason("REPAYMENT_DISPUTED", ScopeKind.ACCOUNT, observed={"case": credit.dispute_case}))
    if credit.in_collections:
        found.append(case.reason("COLLECTIONS_OR_LEGAL", ScopeKind.ACCOUNT))
    if _runs(case, credit.hardship_until_on):
        found.append(_until(case, "HARDSHIP_PLAN_ACTIVE", credit.hardship_until_on))
    return found


def _runs(case: Case, until_on: date | None) -> bool:
    return until_on is not None and case.facts.today_on <= until_on


def _until(case: Case, code: str, until_on: date | None) -> Reason:
    assert until_on is not None
    observed = {"until_on": until_on.isoformat()}
    return case.reason(code, ScopeKind.ACCOUNT, observed={**observed}, until_ms=end_of_day_ms(until_on))
