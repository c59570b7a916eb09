"""Candidates that move the buyer's money: top up, repay a limit, pay what is overdue, settle loans.

Whatever the money account has to pay is brought first: from a bound card, or from one bound for it.
"""

from __future__ import annotations

from fenqi.cashier.action import (
    Action,
    BindCard,
    OpenMoneyAccount,
    PayOverdue,
    Repay,
    SettleLoan,
    TopUp,
)
from fenqi.cashier.draw import may_serve, room_minor
from fenqi.cashier.gates.caps import open_loans
from fenqi.cashier.remedy_ask import Ask, Candidate, by_sms
from fenqi.cashier.remedy_debt import available_minor, owed_minor, repayment_minor
from fenqi.cashier.told import has_card_for

_STAGES = {"fixed": 0, "temporary": 1, "dedicated": 2}


def fund(ask: Ask, amount_minor: int) -> list[Candidate]:
    """The ways (at most one) to have this much in the money account; the empty way when it is there already."""
    money = ask.facts.money
    missing_minor = amount_minor - available_minor(ask.facts)
    if missing_minor <= 0:
        return [()]
    if money.is_open and money.state != "active":
        return []
    first: tuple[Action, ...] = () if money.is_open else (OpenMoneyAccount(),)
    if has_card_for(ask.facts, missing_minor):
        return [(*first, TopUp(missing_minor))]
    if ask.method == "bank_card":
        return []  # another card would pay by itself
    return [(*first, *bind, TopUp(missing_minor)) for bind in by_sms(ask, BindCard())]


def funds_for(ask: Ask, method: str, amount_minor: int) -> list[Candidate]:
    """The ways to make another method's account hold this much; only the money account can be filled."""
    return fund(ask, amount_minor) if method == "money_account" else [()]


def top_ups(ask: Ask, amount_minor: int) -> list[Candidate]:
    """Fill the money account up to this amount."""
    return [way for way in fund(ask, amount_minor) if way]


def instrument(ask: Ask) -> list[Candidate]:
    """Bind a card, or open the money account."""
    if ask.method == "bank_card":
        return by_sms(ask, BindCard())
    return [] if ask.facts.money.is_open else [(OpenMoneyAccount(),)]


def overdue(ask: Ask) -> list[Candidate]:
    """Pay all that is overdue."""
    amount_minor = ask.facts.credit.overdue_minor
    return [(*way, PayOverdue(amount_minor)) for way in fund(ask, amount_minor)]


def repayments(ask: Ask, shortfall_minor: int) -> list[Candidate]:
    """Repay just enough to free `shortfall_minor` (and what a limit is overdrawn by): from the fixed limit when its
    debt is large enough, else from several."""
    facts, plan = ask.facts, ask.view.plan(ask.method, ask.plan)
    left_minor, pay_minor = shortfall_minor, 0
    steps: list[Action] = []
    serving = [limit for limit in facts.credit.limits if may_serve(facts, limit, plan)]
    for limit in sorted(serving, key=lambda each: (_STAGES[each.kind], each.path)):
        over_minor = max(0, -room_minor(limit))
        part_minor = min(left_minor + over_minor, owed_minor(facts, limit.path))
        if left_minor <= 0 or part_minor <= over_minor:
            continue
        cost_minor = repayment_minor(facts, limit.path, part_minor)
        assert cost_minor is not None, "no more is repaid than is owed"
        steps.append(Repay(part_minor, limit.path, cost_minor))
        left_minor -= part_minor - over_minor
        pay_minor += cost_minor
    if left_minor > 0 or not steps:
        return []
    return [(*way, *steps) for way in fund(ask, pay_minor)]


def fewer_loans(ask: Ask) -> list[Candidate]:
    """Settle as many loans as the cap demands, the cheapest first."""
    credit = ask.facts.credit
    count = open_loans(credit) - credit.loans_cap + 1
    cheapest = sorted(_settlements(ask).items(), key=lambda each: (each[1], each[0]))[:count]
    if len(cheapest) < count:
        return []
    steps = tuple(SettleLoan(loan_id, pay_minor) for loan_id, pay_minor in cheapest)
    return [(*way, *steps) for way in fund(ask, sum(step.amount_minor for step in steps))]


def instalment_settlements(ask: Ask, shortfall_minor: int) -> list[Candidate]:
    """Settle the cheapest instalment loan that frees enough of the sub-limit."""
    credit = ask.facts.credit
    freed: dict[str, int] = {}
    for loan in credit.loans:
        if loan.is_instalment:
            freed[loan.loan_id] = freed.get(loan.loan_id, 0) + loan.outstanding_minor
    pay = _settlements(ask)
    enough = [loan_id for loan_id, minor in freed.items() if minor >= shortfall_minor]
    if not enough:
        return []
    chosen = min(enough, key=lambda loan_id: (pay[loan_id], loan_id))
    return [(*way, SettleLoan(chosen, pay[chosen])) for way in fund(ask, pay[chosen])]


def _settlements(ask: Ask) -> dict[str, int]:
    """What settling each loan costs."""
    pay: dict[str, int] = {}
    for loan in ask.facts.credit.loans:
        pay[loan.loan_id] = pay.get(loan.loan_id, 0) + loan.settle_minor
    return pay
