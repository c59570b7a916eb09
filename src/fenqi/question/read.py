"""Reading a question: what it is about, weighed with what holds for the person, and whether that is sure enough.

Never a guess: below the first threshold a short choice is offered, below the second it is for a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fenqi.kernel.refusal import Refusal
from fenqi.question.model import MAX_CHARACTERS, Guess, Outcome, Reading
from fenqi.question.reader import reader
from fenqi.question.topics import OTHER, topics

ANSWER_FROM_PPM = 600_000
"""A topic at least this likely is answered: measured on held-out families and on questions in other words
(docs/concepts/ask.md)."""
CHOICE_FROM_PPM = 330_000
"""Three topics that together are at least this likely are offered as a choice."""
WORTH_OFFERING_PPM = 30_000
CHOICES = 3
_HOLDS_WEIGHT = 3
"""How much likelier a refusal topic is when one of its reasons holds for the order at hand."""


def check(text: str) -> str:
    """The question, trimmed; refuses nothing (QUESTION_EMPTY) and letters (QUESTION_TOO_LONG)."""
    said = " ".join(text.split())
    if not any(char.isalnum() for char in said):
        raise Refusal("QUESTION_EMPTY", "a question has at least one letter or digit")
    if len(said) > MAX_CHARACTERS:
        raise Refusal("QUESTION_TOO_LONG", f"a question has at most {MAX_CHARACTERS} characters", most=MAX_CHARACTERS)
    return said


def read(text: str, holding: Collection[str] = ()) -> Reading:
    """What the question is about. `holding` are the codes of the reasons that hold for the order at hand.

    Refuses as `check` does.
    """
    guesses = weigh(reader().read(check(text)), holding)
    return decide(guesses)


def weigh(guesses: Iterable[Guess], holding: Collection[str]) -> list[Guess]:
    """The guesses with the person's own facts counted in, the likeliest first; shares sum to about a million."""
    held = frozenset(holding)
    weighed = [(guess.topic, guess.confidence_ppm * _weight(guess.topic, held)) for guess in guesses]
    total = sum(share for _, share in weighed) or 1
    told = [Guess(topic, share * 1_000_000 // total) for topic, share in weighed]
    return sorted(told, key=lambda guess: (-guess.confidence_ppm, guess.topic))


def decide(guesses: list[Guess]) -> Reading:
    """Answer, offer a choice, or leave it to a person."""
    best = guesses[0]
    if best.topic == OTHER or best.confidence_ppm >= ANSWER_FROM_PPM:
        outcome = Outcome.PERSON if best.topic == OTHER else Outcome.ANSWERED
        return Reading(outcome, tuple(guesses[:CHOICES]))
    offered = [one for one in guesses if one.topic != OTHER and one.confidence_ppm >= WORTH_OFFERING_PPM][:CHOICES]
    if sum(one.confidence_ppm for one in offered) >= CHOICE_FROM_PPM:
        return Reading(Outcome.CHOOSE, tuple(offered))
    return Reading(Outcome.PERSON, tuple(guesses[:CHOICES]))


def _weight(topic: str, held: frozenset[str]) -> int:
    asked = topics()[topic]
    specific = asked.refusal and len(asked.codes) < len(topics()["cannot_use"].codes)
    return _HOLDS_WEIGHT if specific and held.intersection(asked.codes) else 1
