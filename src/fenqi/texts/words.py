"""Words and sentences of pages: `t` by key, `term` and `word` for the members of closed lists.

A key that a language lacks is said in the other one and logged; the tests find it before a buyer does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from fenqi.texts import formats
from fenqi.texts.catalogue import catalogue
from fenqi.texts.model import Locale
from fenqi.texts.template import Slot, parse
from fenqi.texts.values import Said, say

_log = logging.getLogger(__name__)


def t(key: str, locale: Locale, **values: Said) -> str:
    """The page string under `key` ("cashier.pay_now") with its values filled in; plain text, not markup."""
    source = catalogue(locale).pages.get(key)
    if source is None:
        source = _missed(key, locale, catalogue(locale.other).pages.get(key))
    return fill(source, values, locale)


def has(key: str, locale: Locale) -> bool:
    """Whether this language has a string under `key`."""
    return key in catalogue(locale).pages


def term(vocabulary: str, code: str, locale: Locale) -> str | None:
    """The word for `code` of a closed list ("method", "credit"); None when the list has none.

    A code `family_12` without a word of its own takes the family's, with the number at its `{n}`; `family_12_free`
    takes that of `family_free`.
    """
    words = catalogue(locale).terms.get(vocabulary, {})
    numbered = code.removesuffix("_free")
    family, _, number = numbered.rpartition("_")
    family += code.removeprefix(numbered)
    if code not in words and number.isdigit() and family in words:
        return words[family].replace("{n}", number)
    return words.get(code)


def word(vocabulary: str, code: str, locale: Locale) -> str:
    """The word for `code` of a closed list, for a page: the code in plain letters when there is none, and logged."""
    found = term(vocabulary, code, locale)
    return found if found is not None else _missed(f"{vocabulary}.{code}", locale, term(vocabulary, code, locale.other))


def fill(source: str, values: Mapping[str, Said], locale: Locale) -> str:
    """The template `source` with these values said in this language."""
    return parse(source).render(partial(_fill_slot, values=values, locale=locale))


def capital(sentence: str) -> str:
    """The sentence with a capital at its head, which a value may have made small."""
    return sentence[:1].upper() + sentence[1:]


def _fill_slot(slot: Slot, values: Mapping[str, Said], locale: Locale) -> str | None:
    if slot.optional and slot.name.endswith("_count") and values.get(slot.name) == 0:
        return None
    said = say(slot.name, values, locale, term)
    if said is None or not slot.forms:
        return said
    return f"{said} {slot.forms[0] if values.get(slot.name) == 1 else slot.forms[-1]}"


def _missed(key: str, locale: Locale, instead: str | None) -> str:
    _log.error("no text for %s in %s", key, locale)
    return instead if instead is not None else key.rpartition(".")[2].replace("_", " ")


@cache
def filters(locale: Locale) -> dict[str, Callable[..., str]]:
    """What a page template needs in this language, by name: `t`, `word` and the formatters."""
    bound: dict[str, Callable[..., Any]] = {
        "money": formats.money,
        "amount": formats.amount,
        "day": formats.day,
        "moment": formats.moment,
        "second": formats.second,
        "percent": formats.percent,
        "number": formats.number,
        "duration": formats.duration,
    }
    said: dict[str, Callable[..., str]] = {name: partial(formatter, locale=locale) for name, formatter in bound.items()}
    return said | {"t": partial(_t_in, locale), "word": partial(_word_in, locale)}


def _t_in(locale: Locale, key: str, **values: Said) -> str:
    return t(key, locale, **values)


def _word_in(locale: Locale, code: str, vocabulary: str) -> str:
    return word(vocabulary, code, locale)
