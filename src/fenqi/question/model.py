"""The vocabulary of asking in words: what a question may be about, how sure the reading is, and what was kept of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

MAX_CHARACTERS = 300
"""A longer text is a letter, not a question."""


class Outcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    CHOOSE = "choose"
    """Unclear: a short choice was offered."""
    PERSON = "person"
    """Not understood: it waits for a person."""


class Topic(msgspec.Struct, frozen=True):
    """Something that people ask about, with the reason codes that may lie behind it, the likeliest first."""

    topic: str
    codes: tuple[str, ...] = ()
    refusal: bool = False
    """Whether it asks why something can't be done; otherwise a help text answers it."""
    link: str = ""
    """The page where it is done."""
    method: str = "credit"
    """The payment method that it is about; "" for any."""


class Guess(msgspec.Struct, frozen=True):
    """A topic with how likely the question is about it."""

    topic: str
    confidence_ppm: int


class Reading(msgspec.Struct, frozen=True):
    """A question as it was read: the outcome, and the topics thought of, the likeliest first (at most three)."""

    outcome: Outcome
    guesses: tuple[Guess, ...]

    @property
    def best(self) -> Guess | None:
        """The likeliest topic."""
        return self.guesses[0] if self.guesses else None


class Asked(msgspec.Struct, frozen=True):
    """A question as it is kept."""

    question_id: UUID
    asked_at: datetime
    text: str
    """Numbers that could be a card's, a person's or a phone's are masked."""
    locale: str
    audience: str
    outcome: Outcome
    topic: str | None
    guesses: tuple[Guess, ...]
    consumer_id: UUID | None = None
    order_id: UUID | None = None
    codes: tuple[str, ...] = ()
    """The reasons that held for the order at hand, as the audience was told them."""
    helped: bool | None = None
    waits_from_at: datetime | None = None
    """Since when it waits for a person, if it does."""
    taken_at: datetime | None = None
