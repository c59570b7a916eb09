"""Rows of decision tables as people read them: what a row asks for and what it answers, in words. Pure.

For the console, the API and the command line alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fenqi import texts
from fenqi.kernel.reason import CODES
from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import Anything, Between, Is, OneOf, Test, parse
from fenqi.policy.table import Answer, Output, Row, Schema
from fenqi.texts import Audience, Locale

_VOCABULARIES = {"method": "method", "scene": "scene", "seller_kind": "seller_kind"}
Names = Mapping[str, Mapping[str, str]]
"""By input: the names of codes that only data knows, categories and merchants."""


class Said(NamedTuple):
    """A cell or an answer in words, under its label."""

    name: str
    label: str
    words: str


def label(name: str, locale: Locale) -> str:
    """What an input or an output is called."""
    return texts.t(f"policies.field.{name}", locale)


def code_words(name: str, value: str | int, locale: Locale, names: Names) -> str:
    """A code of an input or output in words; unknown ones are said as they are."""
    if value in names.get(name, {}):
        return names[name][str(value)]
    if name in _VOCABULARIES:
        return texts.word(_VOCABULARIES[name], str(value), locale)
    if value in CODES:
        return texts.title(str(value), locale, Audience.RISK)
    key = f"policies.value.{str(value).replace(':', '_')}"
    return texts.t(key, locale) if texts.has(key, locale) else str(value)


def number_words(name: str, value: int, locale: Locale) -> str:
    """A number in its unit."""
    if name.endswith("_minor"):
        return texts.filters(locale)["money"](value)
    if name.endswith("_ppm"):
        return texts.filters(locale)["percent"](value)
    return f"{value:,}"


def test_words(name: str, test: Test, locale: Locale, names: Names) -> str:
    """What a cell asks for."""
    either = "、" if locale is Locale.ZH_CN else ", "
    match test:
        case Anything():
            return texts.t("policies.anything", locale)
        case Is(value):
            return texts.t("policies.yes" if value else "policies.no", locale)
        case Between(low, None):
            return f"≥ {number_words(name, low or 0, locale)}"
        case Between(None, high):
            return f"≤ {number_words(name, high or 0, locale)}"
        case Between(low, high):
            return f"{number_words(name, low or 0, locale)} – {number_words(name, high or 0, locale)}"
        case OneOf(values, negated):
            said = either.join(
                number_words(name, value, locale) if isinstance(value, int) else code_words(name, value, locale, names)
                for value in values
            )
            return texts.t("policies.not_in", locale, codes=said) if negated else said
    raise AssertionError(f"no such test: {test}")


def answer_words(output: Output, value: Answer, locale: Locale, names: Names) -> str:
    """What an answer says."""
    if value is None:
        return texts.t("policies.unbounded", locale)
    if isinstance(value, bool):
        return texts.t("policies.yes" if value else "policies.no", locale)
    if isinstance(value, int):
        return number_words(output.name, value, locale)
    if isinstance(value, tuple):
        either = "、" if locale is Locale.ZH_CN else ", "
        said = either.join(str(each) if isinstance(each, int) else code_words(output.name, each, locale, names)
                           for each in value)  # fmt: skip
        return said or texts.t("policies.nothing", locale)
    return code_words(output.name, value, locale, names) or texts.t("policies.nothing", locale)


def asked(row: Row, schema: Schema, locale: Locale, names: Names) -> list[Said]:
    """The cells of a row that ask for something; one that can't be read is shown as it stands."""
    found = []
    for field in schema.inputs:
        cell = row.when.get(field.name, "")
        try:
            test = parse(cell, field.kind)
        except Refusal:
            found.append(Said(field.name, label(field.name, locale), cell))
            continue
        if not isinstance(test, Anything):
            found.append(Said(field.name, label(field.name, locale), test_words(field.name, test, locale, names)))
    return found


def answered(row: Row, schema: Schema, locale: Locale, names: Names) -> list[Said]:
    """What a row answers: what it says itself, and of a row that says nothing the first output's default."""
    shown = [output for output in schema.outputs if output.name in row.then] or schema.outputs[:1]
    return [
        Said(each.name, label(each.name, locale), answer_words(each, row.then.get(each.name, each.default), locale,
                                                               names))
        for each in shown
    ]  # fmt: skip
