"""Templates: one Jinja environment a language, with the texts and formatters of that language bound in.

`t("key")` says a string, `x|money`, `x|day`, `x|moment`, `x|percent` … format, `x|own("title")` picks a name kept in
both languages, `asset("base.css")` is the address of a file of ours.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from fenqi.texts import Audience, Locale, filters, has
from fenqi.texts.words import capital
from fenqi.web import saying

STATIC = Path(__file__).parent / "static"


@cache
def asset(name: str) -> str:
    """The address of a static file, with a mark of its content so that it may be cached for ever."""
    mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={mark}"


@cache
def environment(locale: Locale) -> Environment:
    """The templates in one language; names that a template lacks are errors, all output is escaped."""
    env = Environment(
        loader=PackageLoader("fenqi.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=-1,
        auto_reload=False,
    )
    said = filters(locale)
    env.filters.update(said)
    env.filters["own"] = lambda thing, field: own(thing, field, locale)
    env.filters["pretty_json"] = pretty_json
    env.filters["capital"] = capital
    env.globals.update(said)
    env.globals.update(asset=asset, Audience=Audience, has_text=lambda key: has(key, locale))
    env.globals.update(saying.bound(locale))
    return env


def own(thing: Any, field: str, locale: Locale) -> str:
    """The field in the reader's language of a thing that keeps it as `field_zh` and `field_en`."""
    name = f"{field}_{'zh' if locale is Locale.ZH_CN else 'en'}"
    text: str = thing[name] if isinstance(thing, dict) else getattr(thing, name)
    return text


def pretty_json(value: Any) -> str:
    """A struct or JSON text, indented for reading."""
    raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return msgspec.json.format(raw, indent=2).decode()
