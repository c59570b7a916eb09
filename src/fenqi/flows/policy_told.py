"""What two policies differ in, a sentence for each change, in either language: for whoever approves it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from fenqi import texts
from fenqi.flows.policy_words import Names, answer_words, answered, asked, label, number_words, test_words
from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import parse
from fenqi.policy.difference import PARTS, Cell, Change
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Row
from fenqi.texts import Locale


def tell(change: Change, locale: Locale, names: Names | None = None) -> str:
    """The change as a sentence; `names` are those of categories and merchants."""
    names = names or {}
    part = part_words(change.part, locale)
    if change.kind == "moved":
        assert change.from_place is not None and change.to_place is not None, "what moves has its places"
        return texts.t(
            "policy_change.moved", locale, part=part, rule=change.row, was=change.from_place, now=change.to_place
        )
    if change.part == "forbidden_words":
        return texts.t(f"policy_change.word_{change.kind}", locale, part=part, rule=change.row)
    if change.kind == "changed":
        says = _joined((_differs(change.part, cell, locale, names) for cell in change.cells), locale)
        return texts.t(f"policy_change.{_whose(change.part)}", locale, part=part, rule=change.row, says=says)
    says = _whole(change, locale, names)
    return texts.t(f"policy_change.{change.kind}", locale, part=part, rule=change.row, says=says)


def _whose(part: str) -> str:
    return "numbers_changed" if part == "numbers" else "changed"


def part_words(part: str, locale: Locale) -> str:
    """What a table or another part of a policy is called."""
    key = f"policy_change.part.{part}" if part in PARTS else f"policies.table.{part}"
    return texts.t(key, locale) if texts.has(key, locale) else part


def _whole(change: Change, locale: Locale, names: Names) -> str:
    """All that a row says which is new or gone."""
    values = {cell.column: cell.after if change.kind == "added" else cell.before for cell in change.cells}
    schema = SCHEMAS.get(change.part)
    if schema is None:
        return _joined((_is(change.part, name, value, locale, names) for name, value in values.items()), locale)
    when = {name: value for name, value in values.items() if not name.startswith("=") and name != "note"}
    usual = {f"={output.name}": output.default for output in schema.outputs}
    then = {name[1:]: value for name, value in values.items() if name in usual and value != usual[name]}
    row = Row(change.row, when, then)
    said = [f"{one.label}{_is_sign(locale)}{one.words}" for one in asked(row, schema, locale, names)]
    says = [f"{one.label}{_is_sign(locale)}{one.words}" for one in answered(row, schema, locale, names)]
    asks = _joined(said, locale) or texts.t("policies.everything_else", locale)
    return f"{asks} → {_joined(says, locale)}"


def _is_sign(locale: Locale) -> str:
    return "为" if locale is Locale.ZH_CN else " "


def _is(part: str, name: str, value: Any, locale: Locale, names: Names) -> str:
    return f"{column_words(part, name, locale)}{_is_sign(locale)}{_value(part, name, value, locale, names)}"


def _differs(part: str, cell: Cell, locale: Locale, names: Names) -> str:
    return texts.t(
        "policy_change.cell",
        locale,
        column=column_words(part, cell.column, locale),
        was=_value(part, cell.column, cell.before, locale, names),
        now=_value(part, cell.column, cell.after, locale, names),
    )


def column_words(part: str, name: str, locale: Locale) -> str:
    """What a column is called; outputs begin with "="."""
    key = f"policy_change.column.{name}"
    if (part in PARTS or name == "note") and texts.has(key, locale):
        return texts.t(key, locale)
    plain = name.removeprefix("=")
    return label(plain, locale) if texts.has(f"policies.field.{plain}", locale) else plain


def _value(part: str, name: str, value: Any, locale: Locale, names: Names) -> str:
    schema = SCHEMAS.get(part)
    output = next((o for o in schema.outputs if f"={o.name}" == name), None) if schema else None
    field = schema.input(name) if schema else None
    if output is not None:
        return answer_words(output, value, locale, names)
    if field is not None:
        try:
            return test_words(name, parse(value or "", field.kind), locale, names)
        except Refusal:
            return str(value)
    return _plain(name, value, locale)


def _plain(name: str, value: Any, locale: Locale) -> str:
    """A value of a part that is no table."""
    match value:
        case None | "" | ():
            return texts.t("policy_change.nothing", locale)
        case bool():
            return texts.t("policies.yes" if value else "policies.no", locale)
        case int():
            return number_words(name, value, locale)
        case tuple() | list():
            return _joined((_plain(name, each, locale) for each in value), locale)
        case dict():
            return msgspec.json.encode(value).decode()
    for vocabulary in ("scene", "method", "plan", "delivery", "capability"):
        if found := texts.term(vocabulary, str(value), locale):
            return found
    return str(value)


def _joined(parts: Iterable[str], locale: Locale) -> str:
    return ("；" if locale is Locale.ZH_CN else "; ").join(parts)
