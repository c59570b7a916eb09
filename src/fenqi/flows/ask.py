"""Asking in words: the question read, weighed with what holds for the person, answered, and kept.

Never a guess: what is unclear gets a short choice, what is not understood goes to a person. Every answer carries how
sure its reading is.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from fenqi import question
from fenqi.aftersales import About, Kind, Subject
from fenqi.credit import CreditView
from fenqi.database.pool import Tx
from fenqi.flows import ask_hand, ask_told, case_open
from fenqi.flows.ask_hand import Figures, Hand
from fenqi.flows.ask_told import Answer, Found
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.question import Asked, Guess, Outcome, Reading, Topic
from fenqi.texts import Audience, Locale

CERTAIN_PPM = 1_000_000


class Person(NamedTuple):
    """What is known of whoever the question is about; nothing where nobody known asks."""

    hand: Hand | None = None
    view: CreditView | None = None
    figures: Figures | None = None


async def ask(
    ctx: Context, text: str, locale: Locale, audience: Audience = Audience.BUYER, consumer_id: UUID | None = None,
    order_id: UUID | None = None, topic: str | None = None, question_id: UUID | None = None,
) -> Answer:  # fmt: skip
    """Answer a question; `consumer_id` is whom it is about, and `order_id` one of their orders.

    `topic` is what the person has chosen themselves, where a choice was offered. `question_id` makes a repeat find the
    first. Refuses empty and too long questions, unknown topics (TOPIC_UNKNOWN) and others' orders (ORDER_UNKNOWN).
    """
    said = question.check(text)
    if topic is not None and topic not in question.topics():
        raise Refusal("TOPIC_UNKNOWN", "no such topic")
    person = await _person(ctx, consumer_id, order_id, audience)
    reading = _read(said, topic, person, audience)
    now = ctx.now()
    best = None if reading.outcome is Outcome.CHOOSE or reading.best is None else reading.best.topic
    waits = (reading.outcome is Outcome.PERSON and best != question.OTHER) or best in question.FOR_A_PERSON
    asked = Asked(
        question_id or new_id(epoch_ms(now)), now, question.masked(said), str(locale), str(audience), reading.outcome,
        best, reading.guesses, consumer_id, None if person.hand is None else person.hand.order.order_id,
        tuple(sorted(ask_told.holding(person.hand, person.view, audience))), None, now if waits else None,
    )  # fmt: skip
    async with ctx.database.transaction() as tx:
        if await question.record(tx, asked) and waits:
            await _to_a_person(ctx, tx, asked)
    return _answer(asked, person, audience, locale)


async def again(ctx: Context, question_id: UUID, consumer_id: UUID | None, locale: Locale) -> Answer:
    """The answer to a question kept, with what holds now. Refuses others' and unknown ones (QUESTION_UNKNOWN)."""
    async with ctx.database.snapshot() as tx:
        asked = await question.get(tx, question_id, consumer_id)
    audience = Audience(asked.audience)
    if audience is not Audience.BUYER:
        raise NotFound("QUESTION_UNKNOWN", "no such question")
    person = await _person(ctx, asked.consumer_id, asked.order_id, audience)
    return _answer(asked, person, audience, locale)


async def rate(ctx: Context, question_id: UUID, consumer_id: UUID | None, helped: bool) -> None:
    """Keep whether an answer helped; what didn't goes to a person. Refuses QUESTION_UNKNOWN."""
    async with ctx.database.transaction() as tx:
        before = await question.get(tx, question_id, consumer_id)
        asked = await question.rate(tx, question_id, consumer_id, helped, ctx.now())
        if before.waits_from_at is None and asked.waits_from_at is not None:
            await _to_a_person(ctx, tx, asked)


async def _person(ctx: Context, consumer_id: UUID | None, order_id: UUID | None, audience: Audience) -> Person:
    if consumer_id is None:
        return Person()
    view, figures = await ask_hand.line_of(ctx, consumer_id)
    return Person(await ask_hand.at_hand(ctx, consumer_id, order_id, audience), view, figures)


def _read(said: str, topic: str | None, person: Person, audience: Audience) -> Reading:
    if topic is not None:
        return Reading(Outcome.ANSWERED, (Guess(topic, CERTAIN_PPM),))
    return question.read(said, ask_told.holding(person.hand, person.view, audience))


async def _to_a_person(ctx: Context, tx: Tx, asked: Asked) -> None:
    """Open a case for a known person's question, in the transaction that keeps it; nobody's wait in the console's
    list."""
    if asked.consumer_id is None:
        return
    kind = Kind.COMPLAINT if asked.topic == "complaint" else Kind.QUESTION
    actor = f"consumer:{asked.consumer_id}" if asked.audience == Audience.BUYER else "system:questions"
    by = By(actor, "asked in words", ctx.now())
    subject = Subject("none", str(asked.question_id))
    if asked.order_id is not None and asked.audience == Audience.BUYER:  # no buyer joins what staff asked
        subject = Subject("order", str(asked.order_id))
    about = About(order_id=asked.order_id, codes=asked.codes, question=asked.text)
    await case_open.open_within(
        ctx, tx, kind, subject, asked.consumer_id, about, by, asked.text, case_id=asked.question_id
    )


def _answer(asked: Asked, person: Person, audience: Audience, locale: Locale) -> Answer:
    reading = Reading(asked.outcome, asked.guesses)
    sure_ppm = 0 if reading.best is None else reading.best.confidence_ppm
    waits = asked.waits_from_at is not None
    plain = Answer(
        question_id=asked.question_id, asked=asked.text, outcome=asked.outcome, confidence_ppm=sure_ppm, waits=waits,
        helped=asked.helped,
    )  # fmt: skip
    if asked.outcome is Outcome.CHOOSE:
        return replace(plain, choices=ask_told.choices_of(reading, locale))
    if asked.outcome is Outcome.PERSON or asked.topic is None:
        return replace(plain, topic=asked.topic if asked.topic == question.OTHER else None)
    topic = question.topics()[asked.topic]
    title, text = ask_told.help_of(topic.topic, person.figures, locale)
    told = replace(plain, topic=topic.topic, title=title, text=text, link=topic.link)
    return _with_findings(told, topic, person, audience, locale)


def _with_findings(told: Answer, topic: Topic, person: Person, audience: Audience, locale: Locale) -> Answer:
    """The answer with what holds: for the order at hand, else for the line."""
    hand, found = person.hand, Found("none")
    if hand is not None:
        found = ask_told.found_of_order(topic, question.method_named(told.asked), hand, audience, locale)
        told = replace(
            told, order_id=hand.order.order_id, order_number=hand.order.number,
            checkout_id=hand.intent_id if hand.is_now else None,
        )  # fmt: skip
    if found.finding == "none":
        told = replace(told, order_id=None, order_number="", checkout_id=None)
        found = found if person.view is None else ask_told.found_of_line(topic, person.view, audience, locale)
    return replace(told, finding=found.finding, method=found.method, reasons=found.reasons, remedies=found.remedies)
