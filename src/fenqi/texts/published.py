"""The dictionary of reasons as it is published: its version, and the fingerprint of what the version promises.

`published.toml` keeps the semantic version and, by code, a fingerprint of the promise: layer, fixer, disclosure, twin
and meaning. A code that goes or changes its promise raises the major version, a new one the minor; tests hold it.

    python -m fenqi.texts.published FILE    writes the file anew, with the version that the change asks for
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from fenqi.kernel.reason import CODES, CodeMeta
from fenqi.texts import dictionary
from fenqi.texts.model import Locale
from fenqi.texts.reasons import meaning

_HEAD = """# The published dictionary of reasons: its version, and what each code promises, as a fingerprint. Written by
# `python -m fenqi.texts.published`, which raises the version as the change asks: major when a code goes or means
# something else, minor when one is added.

"""


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was published: `codes` are fingerprints by code."""

    version: str
    codes: dict[str, str]


class Version(msgspec.Struct, frozen=True):
    """The version of the dictionary, and a fingerprint of all of it, wording included."""

    number: str
    sha256: str


@cache
def kept() -> Published:
    """What the file says."""
    text = (files("fenqi.texts") / "published.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Published)


def promise(meta: CodeMeta) -> str:
    """The fingerprint of what a code promises; the wording to people may get better without it."""
    parts = [meta.code, meta.group, str(meta.layer), str(meta.fixer), str(meta.disclosure), meta.twin or ""]
    parts += [meaning(meta.code, locale) for locale in Locale]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def promises() -> dict[str, str]:
    """Every code's fingerprint, as the code has it now."""
    return {meta.code: promise(meta) for meta in CODES.values()}


def next_version(was: Published, now: dict[str, str]) -> str:
    """The version that `now` asks for: the same, a minor or a major one more."""
    major, minor, patch = map(int, was.version.split("."))
    if any(now.get(code) != print_ for code, print_ in was.codes.items()):
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if now.keys() - was.codes.keys() else f"{major}.{minor}.{patch}"


@cache
def version() -> Version:
    """The version in force."""
    return Version(kept().version, hashlib.sha256(dictionary.as_json().encode()).hexdigest())


@cache
def as_json() -> bytes:
    """The dictionary for programs, under its version."""
    whole = {
        "version": version().number,
        "sha256": version().sha256,
        "codes": [dictionary.entry(meta) for meta in CODES.values()],
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def as_toml(was: Published) -> str:
    """The file as it has to be."""
    now = promises()
    lines = [f'{code} = "{print_}"' for code, print_ in now.items()]
    return f'{_HEAD}version = "{next_version(was, now)}"\n\n[codes]\n' + "\n".join(lines) + "\n"


def main(path: Path) -> None:
    """Write the file anew."""
    path.write_text(as_toml(kept()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("src/fenqi/texts/published.toml"))
