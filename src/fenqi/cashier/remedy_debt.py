"""What becomes of limits, loans and the money account when debts are paid.

A repayment for a limit takes the loans drawn from it in the order of the facts; fees go with the principal in
proportion, rounded up. While something is overdue, money goes there first, so nothing else can be repaid.
"""

from __future__ import annotations

from msgspec.structs import replace

from fenqi.cashier.action import PayOverdue, Repay, SettleLoan, TopUp
from fenqi.cashier.facts import CreditFacts, Facts, LimitFacts, OpenLoan
from fenqi.cashier.told import has_card_for


def available_minor(facts: Facts) -> int:
    """What the money account can pay now."""
    money = facts.money
    return money.balance_minor - money.held_minor if money.is_open and money.state == "active" else 0


def repayment_minor(facts: Facts, limit_path: str, principal_minor: int) -> int | None:
    """What freeing this much of a limit costs: principal and the fees that go with it; None when less is owed."""
    left_minor, pay_minor = principal_minor, 0
    for loan in facts.credit.loans:
        if loan.limit_path == limit_path and left_minor > 0:
            part_minor = min(left_minor, loan.outstanding_minor)
            pay_minor += _cost_minor(loan, part_minor)
            left_minor -= part_minor
    return pay_minor if left_minor == 0 else None


def _cost_minor(loan: OpenLoan, principal_minor: int) -> int:
    """Principal with its part of the settlement's fees, rounded up to a fen."""
    if loan.outstanding_minor == 0:
        return loan.settle_minor
    return -(-loan.settle_minor * principal_minor // loan.outstanding_minor)


def owed_minor(facts: Facts, limit_path: str) -> int:
    """The principal that could be repaid for this limit."""
    return sum(loan.outstanding_minor for loan in facts.credit.loans if loan.limit_path == limit_path)


def repay(action: Repay, facts: Facts) -> Facts | None:
    """Principal comes back to the limit, loans shrink, the money account pays."""
    credit = facts.credit
    pay_minor = repayment_minor(facts, action.limit_path, action.amount_minor)
    if action.amount_minor <= 0 or credit.overdue_minor > 0 or pay_minor != action.pay_minor:
        return None
    if pay_minor is None or pay_minor > available_minor(facts):
        return None
    left_minor = action.amount_minor
    loans: list[OpenLoan] = []
    instalment_minor = 0
    for loan in credit.loans:
        part_minor = min(left_minor, loan.outstanding_minor) if loan.limit_path == action.limit_path else 0
        left_minor -= part_minor
        instalment_minor += part_minor if loan.is_instalment else 0
        loans += _less(loan, part_minor, _cost_minor(loan, part_minor) if part_minor else 0)
    return _paid(facts, pay_minor, tuple(loans), {action.limit_path: action.amount_minor}, instalment_minor)


def _less(loan: OpenLoan, principal_minor: int, paid_minor: int) -> list[OpenLoan]:
    """The loan with this much repaid; gone when nothing is outstanding."""
    if principal_minor == loan.outstanding_minor:
        return []
    if not principal_minor:
        return [loan]
    outstanding_minor = loan.outstanding_minor - principal_minor
    settle_minor = max(outstanding_minor, loan.settle_minor - paid_minor)
    return [replace(loan, outstanding_minor=outstanding_minor, settle_minor=settle_minor)]


def settle_loan(action: SettleLoan, facts: Facts) -> Facts | None:
    """One loan wholly repaid, on every limit that it was drawn from."""
    credit = facts.credit
    rows = [loan for loan in credit.loans if loan.loan_id == action.loan_id]
    pay_minor = sum(loan.settle_minor for loan in rows)
    if not rows or credit.overdue_minor > 0 or pay_minor != action.amount_minor or pay_minor > available_minor(facts):
        return None
    freed: dict[str, int] = {}
    for loan in rows:
        freed[loan.limit_path] = freed.get(loan.limit_path, 0) + loan.outstanding_minor
    rest = tuple(loan for loan in credit.loans if loan.loan_id != action.loan_id)
    instalment_minor = sum(loan.outstanding_minor for loan in rows if loan.is_instalment)
    return _paid(facts, pay_minor, rest, freed, instalment_minor)


def pay_overdue(action: PayOverdue, facts: Facts) -> Facts | None:
    """All that is overdue is paid; the line may come under observation for a while."""
    credit = facts.credit
    pay_minor = credit.overdue_minor
    if pay_minor <= 0 or action.amount_minor != pay_minor or pay_minor > available_minor(facts):
        return None
    freed: dict[str, int] = {}
    instalment_minor = 0
    loans: list[OpenLoan] = []
    for loan in credit.loans:
        back_minor = loan.overdue_principal_minor
        freed[loan.limit_path] = freed.get(loan.limit_path, 0) + back_minor
        instalment_minor += back_minor if loan.is_instalment else 0
        if back_minor < loan.outstanding_minor:
            outstanding_minor = loan.outstanding_minor - back_minor
            settle_minor = max(outstanding_minor, loan.settle_minor - loan.overdue_minor)
            loans.append(
                replace(
                    loan,
                    outstanding_minor=outstanding_minor,
                    settle_minor=settle_minor,
                    overdue_minor=0,
                    overdue_principal_minor=0,
                )
            )
    after = _paid(facts, pay_minor, tuple(loans), freed, instalment_minor)
    until_on = credit.observed_if_cleared_until_on
    observed_on = until_on if until_on is not None else credit.observed_until_on
    cleared = replace(
        after.credit,
        overdue_minor=0,
        overdue_days=0,
        observed_until_on=observed_on,
        observed_if_cleared_until_on=None,
    )
    return replace(after, credit=cleared)


def _paid(
    facts: Facts, pay_minor: int, loans: tuple[OpenLoan, ...], freed: dict[str, int], instalment_minor: int
) -> Facts:
    money = replace(facts.money, balance_minor=facts.money.balance_minor - pay_minor)
    credit = replace(
        facts.credit,
        loans=loans,
        limits=freed_limits(facts.credit, freed),
        instalment_used_minor=max(0, facts.credit.instalment_used_minor - instalment_minor),
    )
    return replace(facts, money=money, credit=credit)


def freed_limits(credit: CreditFacts, freed: dict[str, int]) -> tuple[LimitFacts, ...]:
    """The limits with this much less used, by path."""
    return tuple(
        replace(limit, used_minor=max(0, limit.used_minor - freed[limit.path])) if freed.get(limit.path) else limit
        for limit in credit.limits
    )


def top_up(action: TopUp, facts: Facts) -> Facts | None:
    """Money moves from a bound card into the money account; not from one whose bank has just refused as much."""
    money = facts.money
    usable = money.is_open and money.state == "active" and has_card_for(facts, action.amount_minor)
    if action.amount_minor <= 0 or not usable:
        return None
    return replace(facts, money=replace(money, balance_minor=money.balance_minor + action.amount_minor))
