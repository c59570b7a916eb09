"""Identity gates: is the payer who they say, with papers, phone and password in order, and the owner of the account."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.kernel.reason import Reason, ScopeKind, Value


def person(case: Case) -> list[Reason]:
    """REALNAME_REQUIRED, REALNAME_MISMATCH, ID_DOCUMENT_EXPIRED, PHONE_NOT_REACHABLE, PAYER_NOT_ACCOUNT_OWNER."""
    if not case.is_own:
        return []
    consumer = case.facts.consumer
    found: list[Reason] = []
    if consumer.real_name == "none":
        found.append(case.reason("REALNAME_REQUIRED", ScopeKind.ACCOUNT))
    elif consumer.real_name == "mismatch":
        found.append(case.reason("REALNAME_MISMATCH", ScopeKind.ACCOUNT))
    until_on = consumer.id_document_until_on
    if until_on is not None and until_on < case.facts.today_on:
        observed: dict[str, Value] = {"id_document_until_on": until_on.isoformat()}
        found.append(case.reason("ID_DOCUMENT_EXPIRED", ScopeKind.ACCOUNT, observed=observed))
    if not consumer.phone_reachable:
        found.append(case.reason("PHONE_NOT_REACHABLE", ScopeKind.ACCOUNT))
    if not consumer.is_payer_owner:
        found.append(case.reason("PAYER_NOT_ACCOUNT_OWNER", ScopeKind.ACCOUNT))
    return found


def confirmation(case: Case) -> list[Reason]:
    """PAY_PASSWORD_NOT_SET, PAY_PASSWORD_LOCKED, STEP_UP_REQUIRED, and SMS_LIMIT where only a code would do."""
    if not case.is_own:
        return []
    consumer, now_ms = case.facts.consumer, case.facts.now_ms
    found: list[Reason] = []
    if consumer.pay_password == "none":
        found.append(case.reason("PAY_PASSWORD_NOT_SET", ScopeKind.ACCOUNT))
    elif consumer.pay_password == "locked":
        until_ms = consumer.pay_password_locked_until_ms
        found.append(case.reason("PAY_PASSWORD_LOCKED", ScopeKind.ACCOUNT, until_ms=until_ms))
    if not step_up_needed(case):
        return found
    found.append(
        case.reason(
            "STEP_UP_REQUIRED",
            ScopeKind.ACCOUNT,
            observed={"payable_minor": case.amount_minor},
            required={"step_up_from_minor": case.terms.step_up_from_minor},
        )
    )
    if consumer.pay_password != "set" and sms_blocked(case.facts.consumer.sms_blocked_until_ms, now_ms):
        found.append(case.reason("SMS_LIMIT", ScopeKind.ACCOUNT, until_ms=consumer.sms_blocked_until_ms))
    return found


def step_up_needed(case: Case) -> bool:
    """Whether an amount this high needs a fresh check and the last one has lapsed."""
    from_minor = case.terms.step_up_from_minor
    if from_minor is None or case.amount_minor < from_minor:
        return False
    return case.facts.consumer.stepped_up_until_ms <= case.facts.now_ms


def sms_blocked(until_ms: int | None, now_ms: int) -> bool:
    """Whether no SMS code can be had now."""
    return until_ms is not None and now_ms < until_ms


def instrument(case: Case) -> list[Reason]:
    """NO_INSTRUMENT (no money account or one that is shut, no bound card), PAY_SWITCH_OFF."""
    if case.method == "bank_card":
        return [] if case.facts.consumer.cards else [case.reason("NO_INSTRUMENT", ScopeKind.ACCOUNT)]
    if case.method != "money_account":
        return []
    money = case.facts.money
    found: list[Reason] = []
    if not money.is_open or money.state != "active":
        state = money.state if money.is_open else "not_opened"
        found.append(case.reason("NO_INSTRUMENT", ScopeKind.ACCOUNT, observed={"money_account_state": state}))
    if not money.pay_switch_on:
        found.append(case.reason("PAY_SWITCH_OFF", ScopeKind.ACCOUNT))
    return found
