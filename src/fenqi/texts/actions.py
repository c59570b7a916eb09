"""Remedies and routes in words: the button, the sentence beside it and how long it usually takes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from fenqi.texts.catalogue import ActionTexts, catalogue
from fenqi.texts.model import Locale
from fenqi.texts.values import Said
from fenqi.texts.words import capital, fill

_log = logging.getLogger(__name__)
_NOTHING: Mapping[str, Said] = {}


class ActionText(NamedTuple):
    """An action or a route as a buyer reads it."""

    label: str
    """For the button."""
    sentence: str


def render_action(
    action: msgspec.Struct | Mapping[str, object], locale: Locale, names: Mapping[str, Said] = _NOTHING
) -> ActionText:
    """A typed action (or its JSON form, with `kind`) in words.

    `names` adds words from data, by place: `seller_name`, `goods_name`, `plan_name` …; without them the sentence does
    without.
    """
    fields = msgspec.to_builtins(action) if isinstance(action, msgspec.Struct) else dict(action)
    texts = _find("actions", str(fields["kind"]), locale)
    chosen = texts.variant(fields.get(texts.vary))
    values = _values(fields) | dict(names)
    return ActionText(capital(fill(chosen.label, values, locale)), capital(fill(chosen.sentence, values, locale)))


def action_time(kind: str, locale: Locale) -> str:
    """How long an action of this kind usually takes the buyer: "about 1 minute"."""
    return _find("actions", kind, locale).takes


def render_route(kind: str, usual_ms: int | None, from_ms: int | None, locale: Locale) -> ActionText:
    """A way whose outcome others decide: `usual_ms` until an answer as a rule, not before `from_ms`, where known."""
    texts = _find("routes", kind, locale)
    values: dict[str, Said] = {"usual_ms": usual_ms, "from_ms": from_ms}
    return ActionText(fill(texts.label, values, locale), fill(texts.sentence, values, locale))


def _values(fields: Mapping[str, object]) -> dict[str, Said]:
    """The action's fields as values to be said; a list is said by its length: `line_ids` as `lines_count`."""
    values: dict[str, Said] = {}
    for name, value in fields.items():
        if isinstance(value, list | tuple):
            values[f"{name.removesuffix('_ids')}s_count"] = len(value)
        elif isinstance(value, int | str):
            values[name] = value
    return values


def _find(shelf: str, kind: str, locale: Locale) -> ActionTexts:
    for choice in (locale, locale.other):
        found: ActionTexts | None = getattr(catalogue(choice), shelf).get(kind)
        if found is not None:
            return found
        _log.error("no text for %s.%s in %s", shelf, kind, choice)
    return ActionTexts(label=kind.replace("_", " "), sentence="")
