"""Sentences with places for values: `{name}`, optional parts in `[...]`, and alternatives `[first|else]`.

A part in square brackets is said only when all its values are known; with `|` the first alternative whose values are
known is said. So a missing value shortens a sentence and never breaks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

import msgspec

MISSING = "—"
"""Stands for a missing value outside square brackets; reason texts have no such place, a test holds that."""

_TOKEN = re.compile(r"\{([a-z][a-z0-9_]*)(?::([^{}]*))?\}|([\[\]|{}])")


class Slot(msgspec.Struct, frozen=True):
    """A place for the value `name`; `forms` are the noun's singular and plural: `{lines_count:item|items}`."""

    name: str
    forms: tuple[str, ...] = ()
    optional: bool = False
    """Inside brackets, where a count of zero is as good as no value: "(0 buyers asked)" is never said."""


Run = tuple[str | Slot, ...]
"""Literal text and slots in a row."""


class Choice(msgspec.Struct, frozen=True):
    """A part in square brackets: the first of its alternatives that has all its values is said, or nothing."""

    alternatives: tuple[Run, ...]


Fill = Callable[[Slot], str | None]
"""What to say for a slot; None when its value is missing."""


class Template(msgspec.Struct, frozen=True):
    """A parsed sentence."""

    parts: tuple[str | Slot | Choice, ...]

    def render(self, fill: Fill) -> str:
        """The sentence with its values filled in by `fill`."""
        return "".join(_say(part, fill) for part in self.parts)

    def slots(self) -> Iterator[Slot]:
        """All slots, inside brackets and outside."""
        yield from self.bare_slots()
        for part in self.parts:
            if isinstance(part, Choice):
                yield from (piece for run in part.alternatives for piece in run if isinstance(piece, Slot))

    def bare_slots(self) -> Iterator[Slot]:
        """The slots outside brackets: those whose values must be given."""
        yield from (part for part in self.parts if isinstance(part, Slot))


def _say(part: str | Slot | Choice, fill: Fill) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Slot):
        said = fill(part)
        return MISSING if said is None else said
    for run in part.alternatives:
        words = [piece if isinstance(piece, str) else fill(piece) for piece in run]
        if None not in words:
            return "".join(word for word in words if word is not None)
    return ""


@cache
def parse(source: str) -> Template:
    """The template written in `source`; ValueError for brackets that don't match or are nested, or a lone brace."""
    parts: list[str | Slot | Choice] = []
    runs: list[list[str | Slot]] | None = None
    end = 0
    for found in _TOKEN.finditer(source):
        target = parts if runs is None else runs[-1]
        if found.start() > end:
            target.append(source[end : found.start()])
        end = found.end()
        if found[1]:
            target.append(Slot(found[1], tuple(found[2].split("|")) if found[2] else (), runs is not None))
        else:
            runs = _bracket(found[3], source, parts, runs)
    if runs is not None:
        raise ValueError(f"a bracket is not closed: {source!r}")
    if end < len(source):
        parts.append(source[end:])
    return Template(tuple(parts))


def _bracket(
    mark: str, source: str, parts: list[str | Slot | Choice], runs: list[list[str | Slot]] | None
) -> list[list[str | Slot]] | None:
    """What is open after `mark`: the alternatives being gathered, or None outside brackets."""
    if mark == "[" and runs is None:
        return [[]]
    if mark == "]" and runs is not None:
        parts.append(Choice(tuple(tuple(run) for run in runs)))
        return None
    if mark == "|":
        if runs is None:
            parts.append("|")
        else:
            runs.append([])
        return runs
    raise ValueError(f"{mark!r} is out of place: {source!r}")
