"""The message catalogue, read from the TOML files of this package: one folder a language, the same keys in both.

`$credit`, `$money` and `$mall` in any text are the products' names of `names.toml`; a text that is `@name` alone is
the one of `shared.toml` under that name. A mistake in the files fails at loading, and the tests load everything.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import msgspec

from fenqi.texts.model import Locale

_NAME = re.compile(r"\$([a-z]+)")
T = TypeVar("T")


class _Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All kinds of texts: frozen, and an unknown field is a mistake in the file."""


class ReasonTexts(_Texts, frozen=True):
    """What one code says. `buyer` is absent where the buyer only ever gets the public twin's text."""

    title: str
    meaning: str
    merchant: str
    support: str
    buyer: str | None = None


class ActionTexts(_Texts, frozen=True):
    """What one action or route says: the button, the sentence and the usual time."""

    label: str
    sentence: str
    takes: str = ""
    vary: str = ""
    """The field whose value chooses among `variants`."""
    variants: dict[str, ActionTexts] = {}

    def variant(self, value: object) -> ActionTexts:
        """The texts for this value of the field `vary`; these ones when it has none of its own."""
        return self.variants.get(str(value), self)


class Catalogue(_Texts, frozen=True):
    """All texts of one language."""

    reasons: dict[str, ReasonTexts]
    actions: dict[str, ActionTexts]
    routes: dict[str, ActionTexts]
    terms: dict[str, dict[str, str]]
    shared: dict[str, str]
    pages: dict[str, str]
    """By dotted key: the file's name, then the tables', then the string's."""


@cache
def catalogue(locale: Locale) -> Catalogue:
    """The catalogue of one language, read once."""
    folder = files("fenqi.texts") / locale.cldr
    names = _read(folder / "names.toml", {})
    shared = _strings(_read(folder / "shared.toml", names))

    def table(raw: dict[str, Any], kind: type[T]) -> dict[str, T]:
        return msgspec.convert(_refer(raw, shared), dict[str, kind])  # type: ignore[valid-type]

    return Catalogue(
        reasons=table(_read_folder(folder / "reasons", names), ReasonTexts),
        actions=table(_read(folder / "actions.toml", names), ActionTexts),
        routes=table(_read(folder / "routes.toml", names), ActionTexts),
        terms=table(_read(folder / "terms.toml", names), dict[str, str]),
        shared=shared,
        pages=_pages(folder / "pages", names),
    )


def _read(path: Traversable, names: dict[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = _expand(tomllib.loads(path.read_text(encoding="utf-8")), names)
    return table


def _toml_files(folder: Traversable) -> list[Traversable]:
    return sorted((path for path in folder.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name)


def _read_folder(folder: Traversable, names: dict[str, Any]) -> dict[str, Any]:
    """The tables of all files in the folder; ValueError when two files have one of the same name."""
    whole: dict[str, Any] = {}
    for path in _toml_files(folder):
        part = _read(path, names)
        if twice := whole.keys() & part.keys():
            raise ValueError(f"{path.name} repeats {sorted(twice)}")
        whole |= part
    return whole


def _pages(folder: Traversable, names: dict[str, Any]) -> dict[str, str]:
    whole: dict[str, str] = {}
    for path in _toml_files(folder):
        whole |= _strings(_read(path, names), path.name.removesuffix(".toml") + ".")
    return whole


def _strings(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested tables of strings as one, by dotted key."""
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _strings(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            flat[prefix + key] = value
        else:
            raise ValueError(f"{prefix}{key} is not a text")
    return flat


def _expand(value: Any, names: dict[str, Any]) -> Any:
    """`value` with every `$name` replaced; KeyError for a name that names.toml lacks."""
    if isinstance(value, dict):
        return {key: _expand(inner, names) for key, inner in value.items()}
    if isinstance(value, str) and names:
        return _NAME.sub(lambda found: str(names[found[1]]), value)
    return value


def _refer(value: Any, shared: dict[str, str]) -> Any:
    """`value` with every text that is `@name` replaced by the shared one; KeyError when there is none."""
    if isinstance(value, dict):
        return {key: _refer(inner, shared) for key, inner in value.items()}
    if isinstance(value, str) and value.startswith("@"):
        return shared[value[1:]]
    return value
