"""Reasons in words: one text for each of the four audiences, and never more than the audience may know.

A buyer hears a generic code only through its public twin, and the twin is told without values, so that answers which
differ in the hidden code alone are the same to the byte.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

from fenqi.kernel.reason import CODES, Disclosure, Reason, ScopeKind
from fenqi.texts.catalogue import ReasonTexts, catalogue
from fenqi.texts.model import Audience, Locale
from fenqi.texts.values import Said, say_plain
from fenqi.texts.words import capital, fill

_log = logging.getLogger(__name__)
_NOTHING: Mapping[str, Said] = {}
_UNITS = ("_minor", "_ppm", "_on", "_at_ms", "_ms", "_count")
PRINCIPAL_REASONS = "G"
"""The group of codes that depend on a refusal because they explain it, not because it hides their facts."""
_COUNTED = {ScopeKind.LINE: "lines_count", ScopeKind.SELLER: "sellers_count"}


class ReasonText(NamedTuple):
    """A reason as one audience reads it."""

    code: str
    """The code that this audience may see."""
    title: str
    sentence: str


def told_code(code: str, audience: Audience, *, stepped_up: bool = False) -> str:
    """The code that this audience may see: for a buyer the public twin, unless the code is exact to them."""
    meta = CODES[code]
    if audience is not Audience.BUYER or meta.twin is None:
        return code
    exact = meta.disclosure is Disclosure.EXACT or (meta.disclosure is Disclosure.STEP_UP and stepped_up)
    return code if exact else meta.twin


def title(code: str, locale: Locale, audience: Audience = Audience.BUYER, *, stepped_up: bool = False) -> str:
    """The short name of what is the matter, as far as this audience may know it."""
    return _texts(told_code(code, audience, stepped_up=stepped_up), locale).title


def meaning(code: str, locale: Locale) -> str:
    """What the code means, for the dictionary and for staff."""
    return _texts(code, locale).meaning


def render_reason(
    code: str,
    audience: Audience,
    locale: Locale,
    values: Mapping[str, Said] = _NOTHING,
    *,
    stepped_up: bool = False,
) -> str:
    """The sentence for this audience. `values` are the observed and required ones by name; missing ones are left out.

    `stepped_up`: the buyer has just confirmed who they are, so that codes with disclosure `step_up` are told exactly.
    """
    told = told_code(code, audience, stepped_up=stepped_up)
    texts = _texts(told, locale)
    if audience is Audience.RISK:
        return f"{told} · {texts.meaning}{_listed(values, locale)}"
    source = {Audience.BUYER: texts.buyer, Audience.MERCHANT: texts.merchant, Audience.SUPPORT: texts.support}[audience]
    if source is None:
        _log.error("no buyer's text for %s", told)
        return texts.title
    return capital(fill(source, values if told == code else _NOTHING, locale))


def tell(
    reason: Reason,
    audience: Audience,
    locale: Locale,
    *,
    stepped_up: bool = False,
    names: Mapping[str, Said] = _NOTHING,
) -> ReasonText:
    """The reason as this audience reads it. `names` adds words from data, by place: `category_name`, `seller_name` …"""
    told = told_code(reason.code, audience, stepped_up=stepped_up)
    head = title(reason.code, locale, audience, stepped_up=stepped_up)
    if reason.depends_on is not None and reason.meta.group != PRINCIPAL_REASONS and audience is not Audience.RISK:
        first = title(reason.depends_on, locale, audience, stepped_up=stepped_up)
        return ReasonText(told, head, fill(catalogue(locale).shared["depends_on"], {"first": first}, locale))
    values = values_of(reason) | dict(names)
    return ReasonText(told, head, render_reason(reason.code, audience, locale, values, stepped_up=stepped_up))


def values_of(reason: Reason) -> dict[str, Said]:
    """All values of a reason by name. A required value whose name is observed too goes by `required_…`."""
    values: dict[str, Said] = {"method": reason.method, "plan": reason.plan, "until_ms": reason.until_ms}
    if reason.scope.kind in _COUNTED and len(reason.scope.ids) > 1:
        values[_COUNTED[reason.scope.kind]] = len(reason.scope.ids)
    if reason.code == "LIMIT_HELD_BY_PENDING" and reason.scope.ids:
        values["order_number"] = ",".join(reason.scope.ids)
    values |= reason.observed
    for name, value in reason.required.items():
        values[f"required_{name}" if name in reason.observed else name] = value
    return {name: value for name, value in values.items() if value is not None}


def _listed(values: Mapping[str, Said], locale: Locale) -> str:
    """Every value as ` · name=value`, the unit cut from the name because the value shows it."""
    return "".join(f" · {_bare(name)}={say_plain(name, value, locale)}" for name, value in values.items())


def _bare(name: str) -> str:
    unit = next((unit for unit in _UNITS if name.endswith(unit)), "")
    return name.removesuffix(unit)


def _texts(code: str, locale: Locale) -> ReasonTexts:
    for choice in (locale, locale.other):
        texts = catalogue(choice).reasons.get(code)
        if texts is not None:
            return texts
        _log.error("no text for %s in %s", code, choice)
    return catalogue(locale).reasons["UNKNOWN"]
