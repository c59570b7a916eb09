"""Numbers that could be a card's, an identity card's, a phone's or a code's are masked before a question is kept."""

from __future__ import annotations

import re

_LONG = re.compile(r"\d[\d\s-]{2,}[\dXx]")
_SHOWN = 4
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def masked(text: str) -> str:
    """The text with digit runs of seven and more, and mail addresses, replaced by `***`."""
    return _LONG.sub(_hidden, _ADDRESS.sub("***", text))


def _hidden(found: re.Match[str]) -> str:
    digits = sum(char.isdigit() for char in found.group())
    return "***" if digits > _SHOWN + 2 else found.group()
