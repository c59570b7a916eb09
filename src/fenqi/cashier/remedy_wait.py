"""What time does to the facts: locks end, caps reset, holds are released; but limits lapse and orders expire too.

Only what is certain to happen by itself happens here: a channel that is down, an application under review or a debt in
dispute stay as they are, however long one waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from fenqi.cashier.action import Wait
from fenqi.cashier.case import business_date_of, end_of_day_ms, start_of_day_ms
from fenqi.cashier.facts import (
    CapFacts,
    ConsumerFacts,
    CreditFacts,
    Facts,
    FindingFacts,
    HoldFacts,
    LimitFacts,
    MethodFacts,
    OrderFacts,
    RiskFacts,
    SellerFacts,
)
from fenqi.cashier.remedy_order import deposit_paid
from fenqi.kernel.reason import CODES, Disclosure, Fixer


def wait(action: Wait, facts: Facts) -> Facts | None:
    """The facts at that instant, when it is still to come."""
    now_ms = action.until_ms
    if now_ms <= facts.now_ms:
        return None
    return replace(
        facts,
        now_ms=now_ms,
        today_on=business_date_of(now_ms),
        order=_order(facts.order, now_ms),
        sellers=_each(facts.sellers, _seller, now_ms),
        methods=_each(facts.methods, _method, now_ms),
        consumer=_consumer(facts.consumer, now_ms),
        credit=_credit(facts.credit, now_ms),
        risk=_risk(facts.risk, now_ms),
    )


T = TypeVar("T")


def _each(items: tuple[T, ...], change: Callable[[T, int], T], now_ms: int) -> tuple[T, ...]:
    """The tuple with each item changed; the very same tuple when none did."""
    changed = tuple(change(item, now_ms) for item in items)
    return items if all(new is old for new, old in zip(changed, items, strict=True)) else changed


def _over(until_ms: int | None, now_ms: int) -> bool:
    return until_ms is not None and until_ms <= now_ms


def _seller(seller: SellerFacts, now_ms: int) -> SellerFacts:
    if seller.status != "active" and _over(seller.status_until_ms, now_ms):
        return replace(seller, status="active", status_until_ms=None)
    return seller


def _order(order: OrderFacts, now_ms: int) -> OrderFacts:
    if order.open_attempt is not None and _over(order.open_attempt_until_ms, now_ms):
        order = replace(order, open_attempt=None, open_attempt_until_ms=None)
    return deposit_paid(order, now_ms)


def _method(method: MethodFacts, now_ms: int) -> MethodFacts:
    if method.suspended and _over(method.suspended_until_ms, now_ms):
        method = replace(method, suspended=False, suspended_until_ms=None)
    if any(_over(each.reopens_ms, now_ms) for each in method.exposure):
        method = replace(method, exposure=tuple(each for each in method.exposure if not _over(each.reopens_ms, now_ms)))
    passage = method.channel
    if passage is not None and passage.state in ("maintenance", "rate_limited") and _over(passage.until_ms, now_ms):
        method = replace(method, channel=replace(passage, state="up", until_ms=None))
    caps = _each(method.caps, _cap, now_ms)
    return method if caps is method.caps else replace(method, caps=caps)


def _cap(cap: CapFacts, now_ms: int) -> CapFacts:
    if cap.window == "single" or cap.resets_ms > now_ms:
        return cap
    return replace(cap, used_minor=0, resets_ms=_next_reset_ms(cap.window, now_ms))


def _next_reset_ms(window: str, now_ms: int) -> int:
    today_on = business_date_of(now_ms)
    if window == "day":
        return end_of_day_ms(today_on)
    first_on = today_on.replace(day=1)
    next_on = first_on.replace(year=first_on.year + 1, month=1) if first_on.month == 12 else None
    return start_of_day_ms(next_on if next_on is not None else first_on.replace(month=first_on.month + 1))


def _consumer(consumer: ConsumerFacts, now_ms: int) -> ConsumerFacts:
    if consumer.pay_password == "locked" and _over(consumer.pay_password_locked_until_ms, now_ms):
        consumer = replace(consumer, pay_password="set", pay_password_locked_until_ms=None)
    if _over(consumer.sms_blocked_until_ms, now_ms):
        consumer = replace(consumer, sms_blocked_until_ms=None)
    return consumer


def _credit(credit: CreditFacts, now_ms: int) -> CreditFacts:
    if credit.state == "pin_locked" and _over(credit.locked_until_ms, now_ms):
        credit = replace(credit, state="active", locked_until_ms=None)
    if credit.state == "frozen" and _over(credit.frozen_until_ms, now_ms):
        credit = replace(credit, state="active", frozen_until_ms=None)
    released = tuple(hold for hold in credit.holds if hold.release_by_ms <= now_ms)
    if released:
        kept = tuple(hold for hold in credit.holds if hold.release_by_ms > now_ms)
        credit = replace(credit, holds=kept, limits=tuple(_less_held(each, released) for each in credit.limits))
    return credit


def _less_held(limit: LimitFacts, released: tuple[HoldFacts, ...]) -> LimitFacts:
    back_minor = sum(hold.amount_minor for hold in released if hold.path == limit.path)
    return replace(limit, held_minor=max(0, limit.held_minor - back_minor)) if back_minor else limit


def _risk(risk: RiskFacts, now_ms: int) -> RiskFacts:
    if risk.findings:
        findings = _each(risk.findings, _finding, now_ms)
        risk = risk if findings is risk.findings else replace(risk, findings=findings)
    if not risk.codes or not _over(risk.until_ms, now_ms):
        return risk
    left = tuple(code for code in risk.codes if not lapses(code))
    return replace(risk, codes=left, until_ms=None)


def _finding(finding: FindingFacts, now_ms: int) -> FindingFacts:
    """That a hidden finding's time is over may not show in what is offered, so here it never is."""
    hidden = CODES[finding.code].disclosure is not Disclosure.EXACT
    return replace(finding, until_ms=None) if hidden and _over(finding.until_ms, now_ms) else finding


def lapses(code: str) -> bool:
    """Whether time alone is known to cure a code of the risk decision. A review's end is in others' hands, and of what
    is hidden from the buyer nothing may show, not even that it passes."""
    meta = CODES[code]
    return meta.fixer is Fixer.TIME and meta.disclosure is Disclosure.EXACT and code != "RISK_MANUAL_REVIEW"
