"""What a channel told of a buyer's way to pay, and how long it stands: a declared table, and what follows from it.

A card that was declined stands aside while another one is bound; only when each bound card was, the method is refused.
"""

from __future__ import annotations

from typing import NamedTuple

from fenqi.cashier.case import Case, business_date_of, end_of_day_ms, start_of_day_ms
from fenqi.cashier.facts import Facts, ToldFacts

BANK_CARD = "bank_card"
"""The method that pays by cards bound here."""
_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


class Span(NamedTuple):
    """How long a code stands, and against what."""

    card_ms: int | None
    """When it is about one card; None: as long as no other card is bound."""
    wallet_ms: int
    """When it is about whatever the buyer has at the channel: that changes out of our sight."""
    by_amount: bool = False
    """It stands against as much or more."""
    ends: str = ""
    """day | month: it ends with the calendar's, whatever the spans say."""


_NO_CARD = Span(None, _DAY_MS)
_SOON = Span(30 * _MINUTE_MS, 30 * _MINUTE_MS)

SPANS: dict[str, Span] = {
    "BALANCE_INSUFFICIENT": Span(30 * _MINUTE_MS, 30 * _MINUTE_MS, by_amount=True),
    "CARD_INSUFFICIENT": Span(30 * _MINUTE_MS, 30 * _MINUTE_MS, by_amount=True),
    "CARD_EXPIRED": _NO_CARD,
    "CARD_INVALID": _NO_CARD,
    "CARD_LOST_STOLEN": _NO_CARD,
    "CARD_LIMIT_AMOUNT": Span(_DAY_MS, _DAY_MS, by_amount=True, ends="day"),
    "CARD_LIMIT_COUNT": Span(_DAY_MS, _DAY_MS, ends="day"),
    "CARD_ONLINE_DISABLED": _SOON,
    "TXN_NOT_PERMITTED": Span(_DAY_MS, _DAY_MS),
    "ISSUER_DECLINED": Span(_DAY_MS, 30 * _MINUTE_MS),
    "ISSUER_UNAVAILABLE": Span(5 * _MINUTE_MS, 5 * _MINUTE_MS),
    "PAY_SWITCH_OFF": _SOON,
    "NO_INSTRUMENT": _SOON,
    "LIMIT_SINGLE_TXN_CAP": Span(_DAY_MS, _DAY_MS, by_amount=True),
    "LIMIT_DAILY_CAP": Span(_DAY_MS, _DAY_MS, by_amount=True, ends="day"),
    "LIMIT_MONTHLY_CAP": Span(31 * _DAY_MS, 31 * _DAY_MS, by_amount=True, ends="month"),
    "REALNAME_REQUIRED": _SOON,
    "RISK_TXN_BLOCKED": Span(_DAY_MS, _DAY_MS),
}
"""Code → how long it stands; what is not here says nothing of the next try. Our own choice, for want of a rule."""


def told_of(code: str, at_ms: int, amount_minor: int, instrument: str = "") -> ToldFacts | None:
    """What a refusal at a channel leaves behind: `code` said at `at_ms` of this amount (and card); None: nothing."""
    span = SPANS.get(code)
    if span is None:
        return None
    length_ms = span.card_ms if instrument else span.wallet_ms
    until_ms = None if length_ms is None else at_ms + length_ms
    if span.ends:
        until_ms = _end_ms(span.ends, at_ms)
    return ToldFacts(code, until_ms, amount_minor if span.by_amount else None, instrument)


def _end_ms(of: str, at_ms: int) -> int:
    on = business_date_of(at_ms)
    if of == "day":
        return end_of_day_ms(on)
    first_on = on.replace(day=1)
    later = first_on.replace(year=on.year + 1, month=1) if on.month == 12 else first_on.replace(month=on.month + 1)
    return start_of_day_ms(later)


def stands(told: ToldFacts, amount_minor: int, now_ms: int) -> bool:
    """Whether it speaks against this amount now."""
    over = told.until_ms is not None and told.until_ms <= now_ms
    return not over and (told.amount_minor is None or amount_minor >= told.amount_minor)


def cards_refused(facts: Facts, amount_minor: int) -> frozenset[str]:
    """The bound cards that something stands against, for a payment of this amount: pay by another one."""
    told = (each for method in facts.methods if method.method == BANK_CARD for each in method.told)
    return frozenset(each.instrument for each in told if each.instrument and stands(each, amount_minor, facts.now_ms))


def has_card_for(facts: Facts, amount_minor: int) -> bool:
    """Whether a card is bound that nothing stands against for this amount."""
    return facts.consumer.cards > len(cards_refused(facts, amount_minor))


def wants_another_card(facts: Facts) -> bool:
    """Whether no bound card can pay what is due: there is none, or something stands against each."""
    due_minor = facts.order.payable_minor - facts.order.covered_minor
    return not has_card_for(facts, due_minor)


def against(case: Case) -> tuple[ToldFacts, ...]:
    """All that stands against the method: of cards only when each bound card has something against it."""
    if not case.terms.told:
        return ()
    amount_minor, now_ms = case.amount_minor, case.facts.now_ms
    found = tuple(each for each in case.terms.told if stands(each, amount_minor, now_ms))
    tried = {each.instrument for each in found if each.instrument}
    if 0 < case.facts.consumer.cards <= len(tried):
        return found
    return tuple(each for each in found if not each.instrument)


def by_card(found: tuple[ToldFacts, ...]) -> dict[str, list[ToldFacts]]:
    """What stands against each card."""
    cards: dict[str, list[ToldFacts]] = {}
    for each in found:
        if each.instrument:
            cards.setdefault(each.instrument, []).append(each)
    return cards


def free_ms(found: tuple[ToldFacts, ...]) -> int | None:
    """When the first card is free again by time alone; None when none is."""
    ends = [[told.until_ms for told in some] for some in by_card(found).values()]
    dated = [max(until_ms for until_ms in some if until_ms is not None) for some in ends if None not in some]
    return min(dated, default=None)


def excess_minor(found: tuple[ToldFacts, ...], amount_minor: int) -> int | None:
    """By how much less the first card would do: half of what it refused is worth a try. None: no amount helps."""
    cards = [[told.amount_minor for told in some] for some in by_card(found).values()]
    enough = [
        amount_minor - min(refused for refused in some if refused is not None) // 2
        for some in cards
        if None not in some
    ]
    return min(enough, default=None)
