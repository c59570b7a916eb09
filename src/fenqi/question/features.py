"""What a question is read by: characters and words in runs of one to four, and the concepts that it speaks of.

Concepts and their pairs are the same in both languages, so that what is learnt in one helps in the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from fenqi.question.normalise import CREDIT, LOAN, bare, normalise, words

MAX_PAIRS = 12
"""How many concepts are paired at most, so that long texts stay cheap."""

_RUNS = re.compile(r"[a-z]+|[^a-z\s]+")
_LONGEST = 4


class Features:
    """A question's features by block: how often each run occurs, and which concepts it touches.

    `core` is the question without fillers and brands: runs are cut from it as well, so that a brand in the middle of a
    phrase does not hide it.
    """

    __slots__ = ("concepts", "core", "grams", "said")

    def __init__(self, text: str) -> None:
        """Reads at most the first 300 characters."""
        self.said = normalise(text[:300])
        self.grams: dict[str, int] = {}
        said = bare(self.said)
        self.core = said.replace(CREDIT, "").replace(LOAN, "").strip()
        for gram in (*_grams(said), *_grams(self.core)):
            self.grams[gram] = self.grams.get(gram, 0) + 1
        self.concepts = _concepts(self.said)

    @property
    def pairs(self) -> list[str]:
        """The concepts in pairs, in the order of the list of concepts."""
        return [f"{one}+{other}" for one, other in combinations(self.concepts[:MAX_PAIRS], 2)]


def _concepts(said: str) -> list[str]:
    return [name for name, pattern in words().concepts if pattern.search(said)]


def _grams(said: str) -> Iterator[str]:
    """Runs of characters where Chinese is written, words and their pairs where Latin letters are."""
    said = said.replace(LOAN, "§")
    latin: list[str] = []
    for run in _RUNS.findall(said):
        if run.isascii() and run.isalpha():
            latin.append(run)
            yield from _within(run)
        else:
            yield from _characters(run)
    for size in (1, 2, 3):
        for at in range(len(latin) - size + 1):
            yield " ".join(latin[at : at + size]) + " "


def _characters(run: str) -> Iterator[str]:
    run = f"^{run}$"
    for size in range(1, _LONGEST + 1):
        for at in range(len(run) - size + 1):
            yield run[at : at + size]


def _within(word: str) -> Iterator[str]:
    """Three and four letters of a longer word, so that endings and slips matter less."""
    edged = f"<{word}>"
    if len(word) > 3:
        for size in (3, 4):
            for at in range(len(edged) - size + 1):
                yield edged[at : at + size]
