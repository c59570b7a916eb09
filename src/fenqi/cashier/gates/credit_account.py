"""Account gates of the credit line: is it open, active, agreed to, and may this person have it."""

from __future__ import annotations

from fenqi.cashier.case import Case, start_of_day_ms
from fenqi.cashier.facts import CreditFacts
from fenqi.kernel.reason import Reason, ScopeKind, Value

STATE_CODES = {
    "not_opened": "CREDIT_NOT_OPENED",
    "pending": "CREDIT_APPLICATION_PENDING",
    "rejected": "CREDIT_APPLICATION_REJECTED",
    "not_activated": "CREDIT_NOT_ACTIVATED",
    "closed_by_user": "CREDIT_CLOSED_BY_USER",
    "closed_by_lender": "CREDIT_CLOSED_BY_LENDER",
    "self_locked": "CREDIT_SELF_LOCKED",
    "dormant_locked": "CREDIT_DORMANT_LOCKED",
    "pin_locked": "CREDIT_ACCOUNT_LOCKED_PIN",
    "frozen": "LIMIT_FROZEN",
}
"""The reason that a state of the line is; `active` is none. A frozen line is a limit frozen as a whole."""

WITHOUT_LIMITS = frozenset({"not_opened", "pending", "rejected", "closed_by_lender"})
"""States in which the line has no limits yet, or none any more."""

_COOLING = frozenset({"not_opened", "rejected", "closed_by_user", "closed_by_lender"})
_AGREED = frozenset({"active", "frozen", "self_locked", "dormant_locked", "pin_locked"})
_CONSENTED = _AGREED | {"not_activated"}


def line_state(case: Case) -> list[Reason]:
    """The state of the line as a reason, with the principal reasons of a refusal (at most four), and
    CREDIT_COOLING_OFF while a new application would be too early."""
    if not case.is_credit:
        return []
    credit = case.facts.credit
    if credit.state == "active":
        return []
    code = STATE_CODES[credit.state]
    found = [case.reason(code, ScopeKind.ACCOUNT, observed={"credit_state": credit.state}, until_ms=_until_ms(credit))]
    if credit.state in ("rejected", "closed_by_lender"):
        found += [case.reason(each, ScopeKind.ACCOUNT, depends_on=code) for each in credit.principal_reasons[:4]]
    from_on = credit.reapply_from_on
    if credit.state in _COOLING and from_on is not None and case.facts.today_on < from_on:
        required: dict[str, Value] = {"reapply_from_on": from_on.isoformat()}
        found.append(
            case.reason("CREDIT_COOLING_OFF", ScopeKind.ACCOUNT, required=required, until_ms=start_of_day_ms(from_on))
        )
    return found


def _until_ms(credit: CreditFacts) -> int | None:
    if credit.state == "pending":
        return credit.expected_by_ms
    if credit.state == "pin_locked":
        return credit.locked_until_ms
    return credit.frozen_until_ms if credit.state == "frozen" else None


def agreement(case: Case) -> list[Reason]:
    """CREDIT_AGREEMENT_EXPIRED, CREDIT_AUTH_WITHDRAWN, CREDIT_ON_OTHER_ACCOUNT."""
    if not case.is_credit:
        return []
    credit = case.facts.credit
    found: list[Reason] = []
    if credit.state in _AGREED and credit.agreement_required and credit.agreement_signed != credit.agreement_required:
        observed: dict[str, Value] = {"agreement_signed": credit.agreement_signed}
        required: dict[str, Value] = {"agreement_required": credit.agreement_required}
        found.append(case.reason("CREDIT_AGREEMENT_EXPIRED", ScopeKind.ACCOUNT, observed=observed, required=required))
    if credit.state in _CONSENTED and not credit.consent_given:
        found.append(case.reason("CREDIT_AUTH_WITHDRAWN", ScopeKind.ACCOUNT))
    if credit.opened_on_other_account:
        found.append(case.reason("CREDIT_ON_OTHER_ACCOUNT", ScopeKind.ACCOUNT))
    return found


def eligibility(case: Case) -> list[Reason]:
    """AGE_INELIGIBLE, REGION_INELIGIBLE, STUDENT_RESTRICTED."""
    if not case.is_credit:
        return []
    credit, consumer = case.facts.credit, case.facts.consumer
    found: list[Reason] = []
    too_old = credit.age_max is not None and consumer.age > credit.age_max
    if consumer.age < credit.age_min or too_old:
        required: dict[str, Value] = {"age_min": credit.age_min}
        if credit.age_max is not None:
            required["age_max"] = credit.age_max
        found.append(
            case.reason("AGE_INELIGIBLE", ScopeKind.ACCOUNT, observed={"age": consumer.age}, required=required)
        )
    if consumer.region not in credit.regions:
        observed: dict[str, Value] = {"region": consumer.region}
        required = {"regions": ",".join(credit.regions)}
        found.append(case.reason("REGION_INELIGIBLE", ScopeKind.ACCOUNT, observed=observed, required=required))
    if consumer.is_student:
        found.append(case.reason("STUDENT_RESTRICTED", ScopeKind.ACCOUNT))
    return found
