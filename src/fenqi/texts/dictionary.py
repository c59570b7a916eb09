"""The published dictionary of reasons, generated from codes and catalogue: Markdown for people, JSON for programs.

`python -m fenqi.texts.dictionary [FOLDER]` writes `reasons.md` and `reasons.json` into FOLDER (docs/reference).
"""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from fenqi.kernel.reason import CODES, CodeMeta
from fenqi.texts.model import Audience, Locale
from fenqi.texts.reasons import meaning, render_reason, title, told_code
from fenqi.texts.words import word

ZH, EN = Locale.ZH_CN, Locale.EN

_HEAD = """# The dictionary of reasons

Every reason why a payment method can't be used, in order of precedence: the order in which people are told. Generated
by `python -m fenqi.texts.dictionary`; the same data for programs is in [reasons.json](reasons.json).

* **Fixer**: who can make the reason go away.
* **Disclosure**: how openly the code may be told to the buyer. *Exact*: as it is. *Exact after a step-up check*: once
  the buyer has confirmed who they are; before, the public twin. *Public twin only* and *Staff only*: the buyer sees the
  twin's wording and nothing that would tell the codes behind it apart.
* **Remedies** are offered only when evaluating the order again has shown that they work; **routes** lead to a decision
  that others take.

Merchants read one and the same sentence for everything that is the buyer's own matter:

> {private}
"""


class _Help(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What helps against a code: kinds of remedies and of routes."""

    actions: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()


@cache
def help_for_codes() -> dict[str, _Help]:
    """Code → kinds of remedies and routes; a code without either is missing."""
    text = (files("fenqi.texts") / "remedies.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, _Help])


def entry(meta: CodeMeta) -> dict[str, Any]:
    """One code as the JSON dictionary has it."""
    helps = help_for_codes().get(meta.code, _Help())
    return {
        "code": meta.code,
        "group": meta.group,
        "layer": str(meta.layer),
        "fixer": str(meta.fixer),
        "disclosure": str(meta.disclosure),
        "twin": meta.twin,
        "title": {str(locale): title(meta.code, locale, Audience.SUPPORT) for locale in Locale},
        "meaning": {str(locale): meaning(meta.code, locale) for locale in Locale},
        "buyer": {str(locale): render_reason(meta.code, Audience.BUYER, locale, stepped_up=True) for locale in Locale},
        "remedies": list(helps.actions),
        "routes": list(helps.routes),
    }


def as_json() -> str:
    """The dictionary for programs."""
    whole = {"codes": [entry(meta) for meta in CODES.values()]}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def as_markdown() -> str:
    """The dictionary for people, one section a group."""
    private = render_reason("CREDIT_NOT_OPENED", Audience.MERCHANT, EN)
    parts = [_HEAD.format(private=private)]
    for group in dict.fromkeys(meta.group for meta in CODES.values()):
        parts.append(f"\n## {group}. {word('group', group, EN)} · {word('group', group, ZH)}\n")
        parts += [_section(meta) for meta in CODES.values() if meta.group == group]
    return "".join(parts)


def _section(meta: CodeMeta) -> str:
    helps = help_for_codes().get(meta.code, _Help())
    about = (
        f"Layer: `{meta.layer}` · fixer: `{meta.fixer}` · disclosure: {word('disclosure', meta.disclosure, EN).lower()}"
    )
    lines = [
        f"\n### {meta.code}\n",
        f"{meaning(meta.code, EN)}. {meaning(meta.code, ZH)}。\n",
        about + _twin(meta) + "\n",
    ]
    if helps.actions:
        lines.append(f"Remedies: {_listed(helps.actions)}\n")
    if helps.routes:
        lines.append(f"Routes: {_listed(helps.routes)}\n")
    if told_code(meta.code, Audience.BUYER, stepped_up=True) == meta.code:
        quoted = [render_reason(meta.code, Audience.BUYER, locale, stepped_up=True) for locale in (EN, ZH)]
        lines.append("\n>\n".join(f"> {text}" for text in quoted) + "\n")
    return "\n".join(lines)


def _twin(meta: CodeMeta) -> str:
    return f" · public twin: [{meta.twin}](#{meta.twin.lower()})" if meta.twin else ""


def _listed(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"`{kind}`" for kind in kinds)


def main(folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reasons.md").write_text(as_markdown(), encoding="utf-8")
    (folder / "reasons.json").write_text(as_json(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/reference"))
