"""Typed noes in words: what a page says when a `Refusal` comes back.

A code has texts of its own (pages/errors.toml), or is a reason of the dictionary and speaks by its buyer's text, or is
told by another code's texts (refusals.toml).
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from fenqi.kernel.reason import CODES
from fenqi.texts.model import Audience, Locale
from fenqi.texts.reasons import render_reason, title
from fenqi.texts.values import Said
from fenqi.texts.words import has, t

_log = logging.getLogger(__name__)
UNEXPECTED = "UNEXPECTED"
_NOTHING: Mapping[str, Said] = {}


class _ToldBy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes and endings of codes → the code whose texts they are told by."""

    codes: dict[str, str]
    endings: dict[str, str]


def refusal(code: str, locale: Locale, values: Mapping[str, Said] = _NOTHING) -> tuple[str, str]:
    """(title, sentence) for the code of a refusal; `values` are what it carries. Unknown codes are logged."""
    by = told_by(code)
    if by in CODES and not has(f"errors.{by}.title", locale):
        return title(by, locale), render_reason(by, Audience.BUYER, locale, values)
    if by == UNEXPECTED and code != UNEXPECTED:
        _log.error("no text for the refusal %s", code)
    return t(f"errors.{by}.title", locale, **values), t(f"errors.{by}.sentence", locale, **values)


def told_by(code: str) -> str:
    """The code whose texts speak for `code`."""
    if code in CODES or has(f"errors.{code}.title", Locale.EN):
        return code
    table = _told_by()
    ending = next((by for ending, by in table.endings.items() if code.endswith(ending)), UNEXPECTED)
    return table.codes.get(code, ending)


@cache
def _told_by() -> _ToldBy:
    text = (files("fenqi.texts") / "refusals.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _ToldBy)
