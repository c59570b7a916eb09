"""Everything that fenqi says to people: one catalogue in Chinese and English, for buyers, merchants, support and risk.

Reasons, remedies, routes, refusals and page strings come from the TOML files beside this module; `docs/howto/texts.md`
says how to add one.
"""

from __future__ import annotations

from fenqi.texts.actions import ActionText, action_time, render_action, render_route
from fenqi.texts.model import Audience, Locale, negotiate
from fenqi.texts.reasons import ReasonText, meaning, render_reason, tell, title, told_code, values_of
from fenqi.texts.refusals import refusal
from fenqi.texts.values import Said
from fenqi.texts.words import filters, has, t, term, word

__all__ = [
    "ActionText",
    "Audience",
    "Locale",
    "ReasonText",
    "Said",
    "action_time",
    "filters",
    "has",
    "meaning",
    "negotiate",
    "refusal",
    "render_action",
    "render_reason",
    "render_route",
    "t",
    "tell",
    "term",
    "title",
    "told_code",
    "values_of",
    "word",
]
