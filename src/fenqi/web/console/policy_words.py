"""Rows of decision tables as people fill them in: the fields that a row is edited by, and the row that they say."""

from __future__ import annotations

from typing import NamedTuple

from fenqi.flows.policy_words import Names, Said, answered, asked, code_words, label
from fenqi.kernel.money import parse_minor
from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import ANYTHING, Between, Is, OneOf, parse, write
from fenqi.policy.table import Answer, Field, Output, Row, Schema
from fenqi.texts import Locale
from fenqi.web.form import Form

__all__ = ["Choice", "Fill", "Names", "Said", "answered", "asked", "input_fields", "output_fields", "read_row"]


class Choice(NamedTuple):
    """A code that can be picked."""

    value: str
    words: str
    picked: bool


class Fill(NamedTuple):
    """An input's or an output's fields in the row's form. `kind`: codes | open | number | flag; or, where a cell can't
    be shown so, cell."""

    name: str
    label: str
    kind: str
    choices: tuple[Choice, ...] = ()
    negated: bool = False
    low: str = ""
    high: str = ""
    text: str = ""


def input_fields(row: Row, schema: Schema, locale: Locale, names: Names) -> list[Fill]:
    """The fields that a row's cells are edited by."""
    return [_input(field, row.when.get(field.name, ""), locale, names) for field in schema.inputs]


def _input(field: Field, cell: str, locale: Locale, names: Names) -> Fill:
    says = label(field.name, locale)
    try:
        test = parse(cell, field.kind)
    except Refusal:
        return Fill(field.name, says, "cell", text=cell)
    if field.kind == "flag":
        value = "" if not isinstance(test, Is) else "true" if test.value else "false"
        return Fill(field.name, says, "flag", text=value)
    if field.kind == "number":
        if isinstance(test, OneOf):
            return Fill(field.name, says, "cell", text=cell)
        low, high = (test.low, test.high) if isinstance(test, Between) else (None, None)
        return Fill(field.name, says, "number", low=typed(field.name, low), high=typed(field.name, high))
    picked = tuple(str(each) for each in test.values) if isinstance(test, OneOf) else ()
    negated = isinstance(test, OneOf) and test.negated
    if field.values:
        choices = tuple(Choice(x, code_words(field.name, x, locale, names), x in picked) for x in field.values)
        return Fill(field.name, says, "codes", choices, negated)
    return Fill(field.name, says, "open", negated=negated, text=", ".join(picked))


def output_fields(row: Row, schema: Schema, locale: Locale, names: Names) -> list[Fill]:
    """The fields that a row's answers are edited by; empty is what the schema says by itself."""
    found = []
    for output in schema.outputs:
        value, says = row.then.get(output.name), label(output.name, locale)
        if output.kind in ("text", "texts") and output.values:
            picked = value if isinstance(value, tuple) else (value,)
            choices = tuple(Choice(x, code_words(output.name, x, locale, names), x in picked) for x in output.values)
            found.append(Fill(output.name, says, output.kind, choices))
        elif output.kind == "numbers":
            text = ", ".join(str(each) for each in value) if isinstance(value, tuple) else ""
            found.append(Fill(output.name, says, "open", text=text))
        else:
            number = value if isinstance(value, int) and not isinstance(value, bool) else None
            text = typed(output.name, number) if output.kind == "number" else str(value or "")
            found.append(Fill(output.name, says, "amount", text=text))
    return found


def typed(name: str, value: int | None) -> str:
    """A number as people type it: yuan for fen, percent for millionths."""
    if value is None:
        return ""
    if name.endswith("_minor"):
        return f"{value // 100}.{value % 100:02d}".removesuffix(".00")
    if name.endswith("_ppm"):
        whole, rest = divmod(value, 10_000)
        return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
    return str(value)


def read_number(name: str, text: str) -> int | None:
    """The number that somebody typed; refuses CELL_INVALID."""
    text = text.strip().replace(",", "").replace("，", "")
    if not text:
        return None
    try:
        if name.endswith("_minor"):
            plain = text.removeprefix("¥")
            return 0 if plain == "0" else parse_minor(plain)
        if name.endswith("_ppm"):
            whole, _, rest = text.rstrip("%").strip().partition(".")
            if not whole.isdigit() or (rest and not rest.isdigit()) or len(rest) > 4:
                raise ValueError(text)
            return int(whole) * 10_000 + int((rest + "0000")[:4])
        if len(text) > 18:
            raise ValueError(text)
        return int(text)
    except (ValueError, Refusal):
        raise Refusal("CELL_INVALID", f"{name}: {text!r} is no number here", cell=text, field=name) from None


def read_row(form: Form, row: Row, schema: Schema) -> Row:
    """The row as the form says it. Refuses CELL_INVALID for what nobody can read; the lint says the rest."""
    when: dict[str, str] = {}
    then: dict[str, Answer] = {}
    for field in schema.inputs:
        cell = _read_cell(form, field)
        if cell:
            when[field.name] = cell
    for output in schema.outputs:
        value = _read_answer(form, output)
        if value is not None:
            then[output.name] = value
    return Row(form.text("rule_id", 80) or row.rule_id, when, then, form.text("note", 300))


def _read_cell(form: Form, field: Field) -> str:
    name = f"in.{field.name}"
    if form.text(f"cell.{field.name}"):
        return form.text(f"cell.{field.name}", 500)
    if field.kind == "flag":
        return form.text(name, 5)
    if field.kind == "number":
        low, high = (
            read_number(field.name, form.text(f"low.{field.name}", 30)),
            read_number(field.name, form.text(f"high.{field.name}", 30)),
        )
        return write(ANYTHING if low is None and high is None else Between(low, high), field.kind)
    codes = form.many(name) if field.values else [each.strip() for each in form.text(name).split(",")]
    picked = tuple(dict.fromkeys(code.strip('"') for code in codes if code))
    return write(OneOf(picked, bool(form.text(f"not.{field.name}", 1))), field.kind) if picked else ""


def _read_answer(form: Form, output: Output) -> Answer:
    name = f"out.{output.name}"
    if output.kind == "texts":
        return tuple(form.many(name)) or None
    text = form.text(name, 200)
    if not text:
        return None
    if output.kind == "number":
        return read_number(output.name, text)
    if output.kind == "numbers":
        parts = [read_number(output.name, part) for part in text.split(",")]
        return tuple(part for part in parts if part is not None) or None
    return text == "true" if output.kind == "flag" else text
