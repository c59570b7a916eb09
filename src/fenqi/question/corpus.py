"""The question texts written for this project, read from the package: what each asks about, and its paraphrase family.

Used to train the reader and to tell whether a trained one is still that of these texts.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

FILES = ("zh_reasons.txt", "zh_help.txt", "zh_more.txt", "zh_hard.txt", "zh_core.txt", "en.txt", "en_more.txt")
"""In `texts/`; the language stands before the first `_` or dot."""
_READ_TOO = ("words.toml", "features.py", "normalise.py")


class Example(NamedTuple):
    """One written question."""

    text: str
    topic: str
    language: str
    """zh | en"""


def examples() -> list[Example]:
    """Every written question, in the order of the files."""
    return [example for name in FILES for example in _read(name)]


def digest() -> str:
    """A hash of everything that a trained reader depends on: texts, words, and how features are cut."""
    seen = hashlib.sha256()
    package = files("fenqi.question")
    for name in (*(f"texts/{one}" for one in FILES), *_READ_TOO):
        seen.update(package.joinpath(name).read_bytes())
    return seen.hexdigest()


def _read(name: str) -> list[Example]:
    language = name.replace(".", "_").split("_")[0]
    found, topic = [], ""
    for line in files("fenqi.question").joinpath("texts", name).read_text(encoding="utf-8").splitlines():
        said = line.strip()
        if said.startswith("=="):
            topic = said.removeprefix("==").strip()
        elif said and not said.startswith("#"):
            found.append(Example(said, topic, language))
    return found
