"""An answer put together: what the question is about, what really holds for the person, and the general help. Pure.

Everything about the order comes from offers as the audience may see them, so a hidden code can change nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from fenqi import question, texts
from fenqi.cashier import Offer
from fenqi.credit import CreditView
from fenqi.flows import naming
from fenqi.flows.ask_hand import Figures, Hand
from fenqi.kernel.reason import Reason
from fenqi.question import Outcome, Topic
from fenqi.texts import Audience, Locale, Said

MOST_REASONS = 4
MOST_REMEDIES = 3
CREDIT = "credit"

_BY_STATE = {
    "not_opened": "CREDIT_NOT_OPENED", "pending": "CREDIT_APPLICATION_PENDING",
    "rejected": "CREDIT_APPLICATION_REJECTED", "not_activated": "CREDIT_NOT_ACTIVATED", "frozen": "LIMIT_FROZEN",
    "self_locked": "CREDIT_SELF_LOCKED", "dormant_locked": "CREDIT_DORMANT_LOCKED",
    "pin_locked": "CREDIT_ACCOUNT_LOCKED_PIN", "closed_by_user": "CREDIT_CLOSED_BY_USER",
    "closed_by_lender": "CREDIT_CLOSED_BY_LENDER",
}  # fmt: skip


class Because(msgspec.Struct, frozen=True):
    """A reason that holds, as its reader sees it."""

    code: str
    title: str
    sentence: str
    fixer: str
    until_ms: int | None = None


class Choice(msgspec.Struct, frozen=True):
    """A topic to choose, with how likely the question meant it."""

    topic: str
    title: str
    confidence_ppm: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is said to a question, with how sure its reading is."""

    question_id: UUID
    asked: str
    outcome: Outcome
    confidence_ppm: int
    topic: str | None = None
    title: str = ""
    text: str = ""
    """The general answer, with the person's own numbers where they are known."""
    link: str = ""
    finding: str = "none"
    """matters: reasons asked about hold · differs: other reasons hold · usable: nothing stands in the way ·
    none: nothing is known about an order or line."""
    method: str = CREDIT
    reasons: tuple[Because, ...] = ()
    remedies: tuple[tuple[str, ...], ...] = ()
    """What helps, the easiest first; each a row of steps."""
    order_id: UUID | None = None
    order_number: str = ""
    checkout_id: UUID | None = None
    """Where the remedies can be taken, while the order can be paid."""
    choices: tuple[Choice, ...] = ()
    waits: bool = False
    """Whether it was passed to a person."""
    helped: bool | None = None


class Found(msgspec.Struct, frozen=True):
    """What holds for the person, about one method."""

    finding: str
    method: str = CREDIT
    reasons: tuple[Because, ...] = ()
    remedies: tuple[tuple[str, ...], ...] = ()


def holding(hand: Hand | None, view: CreditView | None, audience: Audience) -> frozenset[str]:
    """The codes that hold for the person's credit line here, as the audience may know them."""
    if hand is not None:
        refused = [one for one in hand.offers if one.method == CREDIT and not one.available]
        return frozenset(reason.code for one in refused for reason in one.reasons)
    return frozenset(texts.told_code(code, audience) for code in line_codes(view))


def line_codes(view: CreditView | None) -> list[str]:
    """What the line itself says against using it, whatever the order."""
    if view is None:
        return []
    overdue = ["OVERDUE_CURRENT"] if view.overdue_minor else []
    return overdue + ([_BY_STATE[view.state]] if view.state in _BY_STATE else [])


def found_of_order(topic: Topic, method: str | None, hand: Hand, audience: Audience, locale: Locale) -> Found:
    """What holds for the order: the reasons asked about first; else the true ones, kindly; else that it can be used."""
    wanted = {texts.told_code(code, audience, stepped_up=hand.stepped_up) for code in topic.codes}
    looked = _looked_at(topic, method, hand.offers, wanted)
    if not looked:
        return Found("none")
    name = looked[0].method
    refused = [one for one in looked if not one.available]
    if not refused or (len(refused) < len(looked) and not _asks_about(refused, wanted)):
        return Found("usable" if topic.refusal else "none", name)
    reasons = _once(reason for one in refused for reason in one.reasons)
    asked = [one for one in reasons if one.code in wanted]
    if not asked and not topic.refusal:
        return Found("none", name)
    rest = [one for one in reasons if one.code not in wanted]
    first = next((one for one in refused if _asks_about([one], wanted)), refused[0])
    told = tuple(_because(one, hand, audience, locale) for one in (asked + rest)[:MOST_REASONS])
    return Found("matters" if asked else "differs", name, told, _remedies(first, hand, locale))


def _looked_at(topic: Topic, method: str | None, offers: Sequence[Offer], wanted: set[str]) -> list[Offer]:
    """The offers that the question is about: of the method named, else of the topic's, else of the first concerned."""
    name = method or topic.method
    if not name:
        concerned = [one for one in offers if _asks_about([one], wanted)] or [
            one for one in offers if not one.available
        ]
        name = concerned[0].method if concerned else CREDIT
    mine = [one for one in offers if one.method == name]
    parted = [one for one in mine if one.instalments > 1 or (one.plan or "full") != "full"]
    return parted if topic.topic in ("instalment_refused", "plan_terms", "amount_min") and parted else mine


def _asks_about(offers: Iterable[Offer], wanted: set[str]) -> bool:
    return any(reason.code in wanted for one in offers for reason in one.reasons)


def _once(reasons: Iterable[Reason]) -> list[Reason]:
    first: dict[str, Reason] = {}
    for reason in reasons:
        first.setdefault(reason.code, reason)
    return list(first.values())


def _because(reason: Reason, hand: Hand, audience: Audience, locale: Locale) -> Because:
    names = naming.reason_names(reason, hand.ref, locale)
    said = texts.tell(reason, audience, locale, stepped_up=hand.stepped_up, names=names)
    return Because(said.code, said.title, said.sentence, str(reason.meta.fixer), reason.until_ms)


def _remedies(offer: Offer, hand: Hand, locale: Locale) -> tuple[tuple[str, ...], ...]:
    names = naming.action_names(hand.order, hand.ref, locale)
    return tuple(
        tuple(texts.render_action(step, locale, names(step)).label for step in one.actions)
        for one in offer.remedies[:MOST_REMEDIES]
    )


def found_of_line(topic: Topic, view: CreditView, audience: Audience, locale: Locale) -> Found:
    """What holds for the line alone, where no order is at hand."""
    wanted = set(topic.codes)
    codes = [code for code in line_codes(view) if code in wanted or topic.refusal]
    if not codes:
        return Found("none")
    about = any(code in wanted for code in codes)
    if not about and view.state == "not_opened":
        return Found("none")
    values: dict[str, Said] = {"overdue_minor": view.overdue_minor or None, "overdue_days_count": view.overdue_days}
    told = tuple(_line_because(code, audience, locale, values) for code in codes)
    return Found("matters" if about else "differs", CREDIT, told)


def _line_because(code: str, audience: Audience, locale: Locale, values: dict[str, Said]) -> Because:
    told = texts.told_code(code, audience)
    given = values if code == "OVERDUE_CURRENT" else {}
    return Because(told, texts.title(code, locale, audience), texts.render_reason(code, audience, locale, given), "")


def help_of(topic: str, figures: Figures | None, locale: Locale) -> tuple[str, str]:
    """(title, general answer) of a topic, with the person's figures where they have any."""
    values: dict[str, Said] = {}
    if figures is not None:
        opened = figures.ceiling_minor > 0
        values = {
            "state": texts.word("credit_state", figures.state, locale),
            "free_minor": figures.free_minor if opened else None,
            "ceiling_minor": figures.ceiling_minor if opened else None,
            "owed_minor": figures.owed_minor or None,
            "overdue_minor": figures.overdue_minor or None,
            "due_on": figures.due_on,
            "due_minor": figures.due_minor or None,
        }
    return texts.t(f"topics.{topic}.title", locale), texts.t(f"topics.{topic}.answer", locale, **values)


def choices_of(reading: question.Reading, locale: Locale) -> tuple[Choice, ...]:
    """The topics offered, in words."""
    return tuple(
        Choice(one.topic, texts.t(f"topics.{one.topic}.title", locale), one.confidence_ppm) for one in reading.guesses
    )
