"""The topics that people ask about, from `topics.toml`, with their reason codes resolved against the dictionary."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from fenqi.kernel.reason import CODES
from fenqi.question.model import Topic

OTHER = "other"
"""What is none of this mall's business."""
FOR_A_PERSON = frozenset({"human", "complaint"})
"""What is passed to a person however well it was understood."""


@cache
def topics() -> Mapping[str, Topic]:
    """Every topic by name."""
    raw = tomllib.loads(files("fenqi.question").joinpath("topics.toml").read_text(encoding="utf-8"))
    return {name: _topic(name, entry) for name, entry in raw.items()}


def _topic(name: str, entry: dict[str, Any]) -> Topic:
    codes = dict.fromkeys(code for pattern in entry.get("codes", ()) for code in _codes(pattern))
    return Topic(name, tuple(codes), entry.get("refusal", False), entry["link"], entry.get("method", "credit"))


def _codes(pattern: str) -> list[str]:
    """The codes that a pattern such as `CR_*` stands for; a code of its own must be in the dictionary."""
    found = [code for code in CODES if fnmatchcase(code, pattern)]
    if not found:
        raise ValueError(f"{pattern} is no code of the dictionary")
    return found
