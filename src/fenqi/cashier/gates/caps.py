"""Cap gates: caps per payment, day and month, the balance of the money account, and how many loans may be open."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.cashier.facts import CapFacts, CreditFacts
from fenqi.kernel.reason import Reason, ScopeKind, Value

_CODES = {"single": "LIMIT_SINGLE_TXN_CAP", "day": "LIMIT_DAILY_CAP", "month": "LIMIT_MONTHLY_CAP"}


def caps(case: Case) -> list[Reason]:
    """LIMIT_SINGLE_TXN_CAP, LIMIT_DAILY_CAP, LIMIT_MONTHLY_CAP of the scene or of all scenes."""
    found: list[Reason] = []
    terms = case.terms
    if terms.single_cap_minor is not None and case.amount_minor > terms.single_cap_minor:
        found.append(_over(case, "single", terms.single_cap_minor, 0, None, None))
    for cap in terms.caps:
        if cap.scene is not None and cap.scene != case.facts.order.scene:
            continue
        if case.amount_minor > left_minor(cap):
            used_minor = 0 if cap.window == "single" else cap.used_minor
            until_ms = None if cap.window == "single" else cap.resets_ms
            found.append(_over(case, cap.window, cap.cap_minor, used_minor, until_ms, cap.scene))
    return found


def left_minor(cap: CapFacts) -> int:
    """What the cap leaves now."""
    return cap.cap_minor if cap.window == "single" else max(0, cap.cap_minor - cap.used_minor)


def _over(case: Case, window: str, cap_minor: int, used_minor: int, until_ms: int | None, scene: str | None) -> Reason:
    left = max(0, cap_minor - used_minor)
    observed: dict[str, Value] = {"available_minor": left, "used_minor": used_minor, "window": window}
    if scene is not None:
        observed["scene"] = scene
    required: dict[str, Value] = {
        "payable_minor": case.amount_minor,
        "cap_minor": cap_minor,
        "shortfall_minor": case.amount_minor - left,
    }
    return case.reason(_CODES[window], ScopeKind.METHOD, (), observed, required, until_ms)


def balance(case: Case) -> list[Reason]:
    """BALANCE_INSUFFICIENT of the money account."""
    money = case.facts.money
    if case.method != "money_account" or not money.is_open:
        return []
    available_minor = money.balance_minor - money.held_minor
    if case.amount_minor <= available_minor:
        return []
    required: dict[str, Value] = {
        "payable_minor": case.amount_minor,
        "shortfall_minor": case.amount_minor - available_minor,
    }
    observed: dict[str, Value] = {"available_minor": available_minor}
    return [case.reason("BALANCE_INSUFFICIENT", ScopeKind.ACCOUNT, (), observed, required)]


def loans_cap(case: Case) -> list[Reason]:
    """CONCURRENT_LOANS_CAP."""
    credit = case.facts.credit
    if not case.is_credit or credit.loans_cap <= 0:
        return []
    open_count = open_loans(credit)
    if open_count < credit.loans_cap:
        return []
    observed: dict[str, Value] = {"open_count": open_count}
    return [case.reason("CONCURRENT_LOANS_CAP", ScopeKind.ACCOUNT, (), observed, {"cap_count": credit.loans_cap})]


def open_loans(credit: CreditFacts) -> int:
    """How many loans are open; one drawn from several limits counts once."""
    return len({loan.loan_id for loan in credit.loans})
