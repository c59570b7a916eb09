"""The narrative: a few sentences on what happened, why, what has changed and what works now, composed of typed parts.

Pure: it is handed what the audience may know, already told, and picks parts; `render` says them from `narrative.*` of
the texts, to a buyer as "you". Nothing hidden ever gets here.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fenqi import texts
from fenqi.texts import Audience, Locale, Said
from fenqi.texts.words import capital

_TITLES_MOST = 3
_CHANGES_MOST = 3
_WAYS_MOST = 3


class Part(msgspec.Struct, frozen=True):
    """One sentence: the key of its text, and the values in it."""

    key: str
    values: dict[str, Said] = {}


class Tried(msgspec.Struct, frozen=True):
    """What was wanted: by which method and plan, when, and whether the button was pressed."""

    method: str
    plan: str
    at_ms: int
    pressed: bool


class Because(msgspec.Struct, frozen=True):
    """The reasons as the audience reads them: the first one whole, the others by name."""

    sentence: str
    titles: tuple[str, ...] = ()


class Outlook(msgspec.Struct, frozen=True):
    """How it stands now: the method wanted is usable, or what helps, where to turn, and which others are usable."""

    method: str
    plan: str
    usable: bool = False
    helps: tuple[str, ...] = ()
    """Remedies by their labels, the easiest first."""
    costs_minor: int = 0
    """What the easiest one costs the buyer."""
    wait_until_ms: int | None = None
    routes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Usable methods, by their codes."""


class Proof(msgspec.Struct, frozen=True):
    """The replay of every decision. `decisions_count` of them were looked at; the versions are of the last one."""

    decisions_count: int
    identical: bool
    policy_version: str
    evaluator_version: int


class OrderStory(msgspec.Struct, frozen=True):
    """An order, or one press for it."""

    number: str
    state: str
    """awaiting_payment | paid | closed | expired; of a press also pending | returned"""
    amount_minor: int
    at_ms: int
    """Of the state: placed, paid, closed, or the deadline."""
    method_name: str | None = None
    """What paid it, in words."""
    refused_count: int = 0
    tried: Tried | None = None
    because: Because | None = None
    refused_too: tuple[str, ...] = ()
    """Other methods that were refused at the same look, each with its reason's name."""
    changes: tuple[str, ...] = ()
    outlook: Outlook | None = None
    proof: Proof | None = None


class ApplicationStory(msgspec.Struct, frozen=True):
    """An application for the credit line."""

    outcome: str
    """approved | rejected | review"""
    at_ms: int
    limit_minor: int = 0
    because: Because | None = None
    by_person: bool = False
    expected_ms: int | None = None
    reapply_from_on: str | None = None
    proof: Proof | None = None


class LimitChange(msgspec.Struct, frozen=True):
    """One change of a limit. `why` is for staff."""

    at_ms: int
    from_minor: int | None
    to_minor: int
    why: str = ""


class LimitStory(msgspec.Struct, frozen=True):
    """A line with its limits: how it stands, what stands in its way, and the last change that may be told."""

    state: str
    granted_minor: int
    used_minor: int
    held_minor: int
    free_minor: int
    change: LimitChange | None = None
    because: Because | None = None


class HoldStory(msgspec.Struct, frozen=True):
    """What is set aside while a channel is asked. `state`: held | committed | released."""

    state: str
    amount_minor: int
    method: str
    at_ms: int
    until_ms: int
    number: str = ""


class Back(msgspec.Struct, frozen=True):
    """A part of a refund that goes through a channel, and how far it has come."""

    state: str
    """created | unknown | pending | succeeded | failed | diverted"""
    amount_minor: int
    method: str
    at_ms: int
    days_from_count: int
    days_to_count: int
    late: bool = False
    said: str = ""
    """What the channel said, for staff."""


class RefundStory(msgspec.Struct, frozen=True):
    """A refund: where its parts went."""

    number: str
    amount_minor: int
    at_ms: int
    to_limit_minor: int = 0
    to_money_account_minor: int = 0
    backs: tuple[Back, ...] = ()


class MoneyStory(msgspec.Struct, frozen=True):
    """A top-up of the money account or a withdrawal from it, through a channel."""

    purpose: str
    """top_up | withdrawal"""
    state: str
    """open | succeeded | declined | closed"""
    amount_minor: int
    method: str
    at_ms: int
    because: Because | None = None


Story = OrderStory | ApplicationStory | LimitStory | HoldStory | RefundStory | MoneyStory


def compose(story: Story, locale: Locale) -> tuple[Part, ...]:
    """The parts of a story in their order; `locale` joins lists."""
    if isinstance(story, OrderStory):
        return tuple(_order(story, locale))
    if isinstance(story, ApplicationStory):
        return tuple(_application(story, locale))
    if isinstance(story, LimitStory):
        return tuple(_limit(story, locale))
    if isinstance(story, HoldStory):
        return (Part(f"hold_{story.state}", _values(story)),)
    if isinstance(story, MoneyStory):
        return tuple(_money(story, locale))
    return tuple(_refund(story))


def render(parts: tuple[Part, ...], audience: Audience, locale: Locale) -> tuple[str, ...]:
    """The sentences: a buyer is spoken to, everybody else is told of the buyer; some are worded for staff."""
    said = []
    for part in parts:
        key = f"narrative.{part.key}"
        spoken = next((key + voice for voice in _VOICES[audience] if texts.has(key + voice, locale)), key)
        said.append(capital(texts.t(spoken, locale, **part.values)))
    return tuple(said)


_VOICES = {
    Audience.BUYER: ("_you",),
    Audience.MERCHANT: ("_they",),
    Audience.SUPPORT: ("_staff", "_they"),
    Audience.RISK: ("_staff", "_they"),
}


def joined(sentences: tuple[str, ...], locale: Locale) -> str:
    """Sentences as one paragraph."""
    return ("" if locale is Locale.ZH_CN else " ").join(sentences)


def _values(struct: msgspec.Struct) -> dict[str, Said]:
    """A struct's own plain fields."""
    return {name: value for name, value in msgspec.structs.asdict(struct).items() if isinstance(value, str | int)}


def _listed(words: tuple[str, ...], locale: Locale) -> str:
    return ("；" if locale is Locale.ZH_CN else "; ").join(words)


def _order(story: OrderStory, locale: Locale) -> Iterator[Part]:
    yield Part(f"order_{story.state}", _values(story))
    if story.tried is not None:
        tried = story.tried
        done = "pressed" if tried.pressed else "looked"
        yield Part("before" if story.state == "paid" else done, _values(tried) | {"refused_count": story.refused_count})
    if story.because is not None:
        yield from _because(story.because, locale)
    if story.refused_too:
        yield Part("refused_too", {"listed": _listed(story.refused_too[:_TITLES_MOST], locale)})
    if story.changes:
        yield Part("since", {"changes": _listed(story.changes[:_CHANGES_MOST], locale)})
    if story.outlook is not None:
        yield from _outlook(story.outlook, locale)
    if story.proof is not None:
        yield _proof(story.proof)


def _because(because: Because, locale: Locale) -> Iterator[Part]:
    yield Part("because", {"sentence": because.sentence})
    if because.titles:
        more = len(because.titles) - _TITLES_MOST
        values: dict[str, Said] = {"titles": _listed(because.titles[:_TITLES_MOST], locale)}
        yield Part("also", values | ({"more_count": more} if more > 0 else {}))


def _outlook(outlook: Outlook, locale: Locale) -> Iterator[Part]:
    values = _values(outlook)
    if outlook.usable:
        yield Part("now_usable", values)
        return
    if outlook.helps:
        first, others = outlook.helps[0], outlook.helps[1:_WAYS_MOST]
        yield Part("helps_costs" if outlook.costs_minor > 0 else "helps", values | {"first": first})
        if others:
            yield Part("helps_or", {"others": _listed(others, locale)})
    elif outlook.wait_until_ms is not None:
        yield Part("waits", values)
    if outlook.others:
        yield Part("others", {"methods": ",".join(outlook.others)})
    if outlook.routes and not outlook.helps:
        yield Part("routes", {"routes": _listed(outlook.routes[:_WAYS_MOST], locale)})
    if not (outlook.helps or outlook.others or outlook.routes or outlook.wait_until_ms):
        yield Part("nothing", values)


def _proof(proof: Proof) -> Part:
    return Part("proof_same" if proof.identical else "proof_differs", _values(proof))


def _application(story: ApplicationStory, locale: Locale) -> Iterator[Part]:
    by = "_by_person" if story.by_person else ""
    yield Part(f"application_{story.outcome}{by}", _values(story))
    if story.because is not None:
        yield from _because(story.because, locale)
    if story.outcome == "review" and story.expected_ms is not None:
        yield Part("application_expected", {"expected_ms": story.expected_ms})
    if story.outcome == "rejected":
        yield Part("application_again", {"reapply_from_on": story.reapply_from_on})
    if story.proof is not None:
        yield _proof(story.proof)


def _limit(story: LimitStory, locale: Locale) -> Iterator[Part]:
    yield Part("limit_stands" if story.granted_minor or story.used_minor else "limit_none", _values(story))
    if story.held_minor:
        yield Part("limit_held", {"held_minor": story.held_minor})
    if story.change is not None:
        first = "first" if story.change.from_minor is None else "changed"
        yield Part(f"limit_{first}", _values(story.change))
    if story.because is not None:
        yield from _because(story.because, locale)


def _refund(story: RefundStory) -> Iterator[Part]:
    yield Part("refund", _values(story))
    if story.to_limit_minor:
        yield Part("refund_to_limit", {"to_limit_minor": story.to_limit_minor})
    if story.to_money_account_minor:
        yield Part("refund_to_money", {"to_money_account_minor": story.to_money_account_minor})
    for back in story.backs:
        yield Part("refund_late" if back.late else f"refund_{back.state}", _values(back))


def _money(story: MoneyStory, locale: Locale) -> Iterator[Part]:
    yield Part(f"{story.purpose}_{story.state}", _values(story))
    if story.because is not None:
        yield from _because(story.because, locale)
