"""The trained reader: which topics a question is about and how likely each is, from packed weights, in plain Python.

`tools/train_questions.py` makes the packed file: a linear classifier over features weighted by how rare they are, one
against the rest, whose margins become probabilities by one factor a language, fitted on held-out families.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from fenqi.question.features import Features
from fenqi.question.model import Guess

PACKED = "reader.msgpack"
_HEAD = struct.Struct("<ff")
_ZERO = 128
_WRITTEN_BONUS = 1.0
"""What a question that was written in these very words adds to its topic's margin: as much as the margins' own unit."""


class Packed(msgspec.Struct, frozen=True):
    """The file: per block (runs, concepts, pairs) a name's rarity, its scale, and pairs of (topic, weight + 128)."""

    digest: str
    """Of the texts and code it was trained from (`corpus.digest`)."""
    topics: tuple[str, ...]
    intercepts: tuple[float, ...]
    sharpness: dict[str, float]
    """By language: what margins are multiplied with before they are read as probabilities."""
    shares: tuple[float, float, float]
    """How much each block counts."""
    blocks: tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]
    written: dict[str, int]
    """The cores of the questions learnt from, with their topics."""


class Row(NamedTuple):
    """What one feature says: its rarity, and its weight for each topic that it speaks for or against."""

    rarity: float
    topics: bytes
    weights: tuple[float, ...]


@cache
def packed() -> Packed:
    """The packaged reader."""
    return msgspec.msgpack.decode(files("fenqi.question").joinpath(PACKED).read_bytes(), type=Packed)


class Reader:
    """A reader with its weights laid out; use `reader()` for the packaged one."""

    def __init__(self, source: Packed) -> None:
        self._source = source
        self._blocks = tuple({name: _row(raw) for name, raw in block.items()} for block in source.blocks)

    def read(self, text: str) -> list[Guess]:
        """All topics, the likeliest first; the shares sum to about a million. No text is too odd."""
        seen = Features(text)
        margins = list(self._source.intercepts)
        counted = (
            [(name, 1.0 + math.log(count)) for name, count in seen.grams.items()],
            [(name, 1.0) for name in seen.concepts],
            [(name, 1.0) for name in seen.pairs],
        )
        for block, share, items in zip(self._blocks, self._source.shares, counted, strict=True):
            _add(margins, block, share, items)
        if seen.core in self._source.written:
            margins[self._source.written[seen.core]] += _WRITTEN_BONUS
        sharpness = self._source.sharpness["zh" if any("一" <= char <= "鿿" for char in seen.said) else "en"]
        return _guesses(self._source.topics, margins, sharpness)


@cache
def reader() -> Reader:
    """The packaged reader, laid out once."""
    return Reader(packed())


def _row(raw: bytes) -> Row:
    rarity, scale = _HEAD.unpack_from(raw)
    pairs = raw[_HEAD.size :]
    return Row(rarity, pairs[0::2], tuple((weight - _ZERO) * scale for weight in pairs[1::2]))


def _add(margins: list[float], block: dict[str, Row], share: float, items: Iterable[tuple[str, float]]) -> None:
    """Add what a block's features say, the block brought to length one."""
    known = [(block[name], often) for name, often in items if name in block]
    length = math.sqrt(sum((row.rarity * often) ** 2 for row, often in known))
    for row, often in known:
        factor = share * row.rarity * often / length
        for topic, weight in zip(row.topics, row.weights, strict=True):
            margins[topic] += factor * weight


def _guesses(topics: tuple[str, ...], margins: list[float], sharpness: float) -> list[Guess]:
    top = max(margins)
    likely = [math.exp(sharpness * (margin - top)) for margin in margins]
    total = sum(likely)
    guesses = [Guess(topic, round(each / total * 1_000_000)) for topic, each in zip(topics, likely, strict=True)]
    return sorted(guesses, key=lambda guess: (-guess.confidence_ppm, guess.topic))
