"""How a value is said: the suffix of its name is its unit, and names of closed lists are looked up as words.

The same rule serves reasons, actions and pages, so that a value reads alike wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from fenqi.texts import formats
from fenqi.texts.model import Locale

Said = int | str | bool | date | datetime | timedelta | None
"""What may be said: the values of reasons and actions, and what pages hand in."""

LITERAL = ""
"""No vocabulary: a list of things that are said as they are."""

WORDS: dict[str, str] = {
    "method": "method",
    "methods": "method",
    "open_attempt": "method",
    "scene": "scene",
    "scenes": "scene",
    "integrated_in": "scene",
    "seller_kind": "seller_kind",
    "seller_status": "seller_status",
    "delivery": "delivery",
    "region": "region",
    "regions": "region",
    "client": "client",
    "clients": "client",
    "plan": "plan",
    "prior_plan": "plan",
    "capability": "capability",
    "category": "category",
    "categories": "category",
    "channel": "channel",
    "told_by": "method",
    "covered_by": "method",
    "passage_state": "passage_state",
    "passed_over": LITERAL,
    "currency": "currency",
    "currencies": "currency",
    "money_account_state": "money_account_state",
    "terms": LITERAL,
    "order_number": LITERAL,
}
"""Values that are codes of a closed list, and the vocabulary (a table of terms.toml) that names them.

Inside a sentence a vocabulary `x_in_text` comes before `x`, whose words are labels.
"""

_NAMED_BY_STAFF = frozenset({"channel"})
"""Vocabularies of names that staff give: one without a word is said as it is."""

_DURATIONS = frozenset({"usual_ms", "wait_ms", "takes_ms"})

Term = Callable[[str, str, Locale], str | None]
"""(vocabulary, code, locale) → the word, or None when the vocabulary has none."""


def say(name: str, values: Mapping[str, Said], locale: Locale, term: Term) -> str | None:
    """The value `name` in the reader's words; None when it is missing or has no word in this language.

    A value `x_name` (a category's, seller's or product's own name) stands in for the code `x`.
    """
    spoken = values.get(f"{name}_name")
    if isinstance(spoken, str):
        return spoken
    value = values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and name in WORDS:
        return say_words(WORDS[name], value, locale, term)
    return say_plain(name, value, locale)


def say_words(vocabulary: str, codes: str, locale: Locale, term: Term) -> str | None:
    """One code or several, separated by commas, as words of the vocabulary; None when one of them has no word."""
    words = [_word(vocabulary, code.strip(), locale, term) for code in codes.split(",")]
    known = [word for word in words if word is not None]
    if len(known) < len(words):
        return None
    if locale is Locale.ZH_CN:
        return "、".join(known)
    if vocabulary == LITERAL or len(known) == 1:
        return ", ".join(known)
    return f"{', '.join(known[:-1])} or {known[-1]}"


def _word(vocabulary: str, code: str, locale: Locale, term: Term) -> str | None:
    if vocabulary == LITERAL:
        return code
    known = term(f"{vocabulary}_in_text", code, locale) or term(vocabulary, code, locale)
    return code if known is None and vocabulary in _NAMED_BY_STAFF else known


def say_plain(name: str, value: Said, locale: Locale) -> str:
    """A value by the suffix of its name: `_minor`, `_ppm`, `_on`, `_ms`; anything else as it is."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, timedelta):
        return formats.duration(value, locale)
    if isinstance(value, datetime):
        return formats.moment(value, locale)
    if isinstance(value, date) or (name.endswith("_on") and isinstance(value, str)):
        return formats.day(value, locale)
    if isinstance(value, str):
        return value
    return _say_int(name, value, locale)


def _say_int(name: str, value: int, locale: Locale) -> str:
    if name.endswith("_minor"):
        return formats.money(value, locale)
    if name.endswith("_ppm"):
        return formats.percent(value, locale)
    if name in _DURATIONS:
        return formats.duration(value, locale)
    if name.endswith("_ms"):
        return formats.moment(value, locale)
    return formats.number(value, locale)
