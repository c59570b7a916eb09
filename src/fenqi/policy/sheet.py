"""A decision table as a sheet: a header of inputs and outputs with their units, and a line for each row. Pure.

Excel and CSV share what is here. A sheet is taken whole or not at all: whatever can't be read for certain is a fault
that names its place and what is wanted there, and nothing is guessed, rounded or left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import msgspec

from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import ANYTHING, OneOf, is_code, parse, write
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Answer, Field, Output, Row, Schema, Table

MOST_BYTES = 4 * 1024 * 1024
MOST_ROWS = 2_000
MOST_FAULTS = 100
RULE, NOTE, THEN = "rule_id", "note", "→ "
_UNITS = {
    "minor": "fen", "ppm": "ppm", "count": "count", "days": "days", "hours": "hours", "months": "months",
    "hour": "0..23",
}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_GROUPED = re.compile(r"(?<![0-9])[0-9]{1,3}(,[0-9]{3})+(?![0-9])")
_EXACT = 2**53


class Misread(msgspec.Struct, frozen=True):
    """One thing that keeps a sheet from being taken: the place as a spreadsheet names it, and what is wanted."""

    sheet: str
    row: int
    column: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.sheet}!{self.column}{self.row or ''}: {self.found!r}: {self.wanted}"


class Imported(NamedTuple):
    """What a file held: tables, or the faults for which none of them is taken."""

    tables: tuple[Table, ...]
    faults: tuple[Misread, ...]


class Special(NamedTuple):
    """A cell that is more than a value: a formula, an error, part of a merged block."""

    what: str
    shown: str = ""


Given = str | int | float | bool | date | time | timedelta | Special | None
"""What a cell of a file holds."""
Lines = Mapping[int, Mapping[int, Given]]
"""The cells of a sheet that hold anything, by row and column, both counted from 1."""


def letter(column: int) -> str:
    """The name of a column: 1 → A, 27 → AA."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def unit_of(name: str) -> str:
    """The unit that a name ends in, for people; nothing where it has none."""
    return _UNITS.get(name.rpartition("_")[2], "")


def titled(name: str) -> str:
    """A column's name with its unit: "max_minor [fen]"."""
    unit = unit_of(name)
    return f"{name} [{unit}]" if unit else name


def header(schema: Schema) -> list[str]:
    """The header row of a table's sheet."""
    tests = [titled(field.name) for field in schema.inputs]
    return [RULE, *tests, *(THEN + titled(output.name) for output in schema.outputs), NOTE]


def line(row: Row, schema: Schema) -> list[str | int | None]:
    """A row as the cells under `header`."""
    tests = [_test_cell(row.when.get(field.name, ""), field) for field in schema.inputs]
    says = [_answer_cell(row.then.get(output.name), output) for output in schema.outputs]
    return [row.rule_id, *tests, *says, row.note or None]


def _test_cell(text: str, field: Field) -> str | int | None:
    """In normal form: a lone number as one, plain codes without quotes; a cell that can't be read as it stands."""
    try:
        found = parse(text, field.kind)
    except Refusal:
        return text
    if found == ANYTHING:
        return None
    if isinstance(found, OneOf) and not found.negated:
        if field.kind == "number" and len(found.values) == 1:
            return int(found.values[0])
        if field.kind != "number" and all(_PLAIN.fullmatch(str(value)) for value in found.values):
            return ", ".join(map(str, found.values))
    return write(found, field.kind)


def _answer_cell(value: Answer, output: Output) -> str | int | None:
    if value is None:
        return None
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "[]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value != "" else '""'


def read(key: str, lines: Lines) -> tuple[Table, list[Misread]]:
    """The table that a sheet's cells say, and everything that can't be taken; with faults the table is of no use."""
    reader = _Reader(key, SCHEMAS[key])
    columns = reader.columns(lines.get(1, {}))
    if reader.faults:
        return Table(key), reader.faults
    numbers = [n for n in sorted(lines) if n > 1 and any(not _is_empty(each) for each in lines[n].values())]
    if len(numbers) > MOST_ROWS:
        reader.fault(numbers[MOST_ROWS], 1, "", f"at most {MOST_ROWS} rows")
        return Table(key), reader.faults
    rows = [reader.row(n, lines[n], columns) for n in numbers]
    return Table(key, tuple(rows)), reader.faults[:MOST_FAULTS]


class _Reader:
    """Reads one sheet, and collects what is wrong with it."""

    def __init__(self, key: str, schema: Schema) -> None:
        self.key, self.schema = key, schema
        self.faults: list[Misread] = []

    def fault(self, row: int, column: int, found: object, wanted: str) -> None:
        self.faults.append(Misread(self.key, row, letter(column), _shown(found), wanted))

    def columns(self, cells: Mapping[int, Given]) -> dict[int, str]:
        """Which column is what; every column of the table is there once, and no other."""
        wanted = {_bare(name): name for name in header(self.schema)}
        found: dict[int, str] = {}
        for column in sorted(cells):
            text = cells[column]
            if _is_empty(text):
                continue
            name = wanted.get(_bare(text)) if isinstance(text, str) else None
            if name is None:
                self.fault(1, column, text, "a column of this table; remove it, or name it as the export does")
            elif _unit_in(str(text)) not in ("", _unit_in(name)):
                self.fault(1, column, text, f"{name}: this column is in [{_unit_in(name)}]")
            elif name in found.values():
                self.fault(1, column, text, "each column once")
            else:
                found[column] = name
        for name in wanted.values():
            if name not in found.values() and not self.faults:
                self.fault(1, max(cells, default=0) + 1, "", f"the column {name!r} is missing")
        return found

    def row(self, n: int, cells: Mapping[int, Given], columns: Mapping[int, str]) -> Row:
        """One line read; where it can't be, a fault and whatever stands in its place."""
        for column in cells:
            if column not in columns and not _is_empty(cells[column]):
                self.fault(n, column, cells[column], "nothing: no column of the table is here")
        place = {name: column for column, name in columns.items()}
        rule_id = self._text(n, place[RULE], cells.get(place[RULE]), "the rule's name")
        if not is_code(rule_id):
            self.fault(n, place[RULE], rule_id, "the rule's name, one in each row")
        when, then = {}, {}
        for field in self.schema.inputs:
            column = place[titled(field.name)]
            if text := self._test(n, column, cells.get(column), field):
                when[field.name] = text
        for output in self.schema.outputs:
            column = place[THEN + titled(output.name)]
            if not _is_empty(cells.get(column)):
                then[output.name] = self._answer(n, column, cells.get(column), output)
        note = self._text(n, place[NOTE], cells.get(place[NOTE]), "a remark")
        return Row(rule_id, when, then, note)

    def _text(self, n: int, column: int, given: Given, wanted: str) -> str:
        if _is_empty(given):
            return ""
        if not isinstance(given, str):
            self.fault(n, column, given, f"{wanted}, as text")
            return ""
        return given.strip()

    def _test(self, n: int, column: int, given: Given, field: Field) -> str:
        """The cell in its normal form; nothing where it tests nothing."""
        if _is_empty(given):
            return ""
        text, wanted = _as_text(given, field.kind)
        if wanted:
            self.fault(n, column, given, wanted)
            return ""
        if field.kind in ("text", "codes"):
            text = _quoted(text)
        elif field.kind == "number" and _GROUPED.search(text):
            self.fault(n, column, text, "numbers without separators: 20000; several with a space: 1, 2")
            return ""
        try:
            found = parse(text, field.kind)
        except Refusal as refusal:
            self.fault(n, column, given, refusal.detail)
            return ""
        odd = [each for each in found.values if each not in field.values] if isinstance(found, OneOf) else []
        if odd and field.values:
            self.fault(n, column, odd[0], f"one of {', '.join(field.values)}")
        return write(found, field.kind)

    def _answer(self, n: int, column: int, given: Given, output: Output) -> Answer:
        kind = {"numbers": "number", "texts": "text"}.get(output.kind, output.kind)
        if output.kind == "numbers" and isinstance(given, str):
            kind = "text"  # a list is written as text, even one of a single number
        text, wanted = _as_text(given, kind)
        if wanted:
            self.fault(n, column, given, wanted)
            return None
        if not output.kind.endswith("s"):
            return self._part(n, column, text, output)
        if text == "[]":
            return ()
        return tuple(self._part(n, column, part.strip(), output) for part in text.split(","))  # type: ignore[misc]

    def _part(self, n: int, column: int, text: str, output: Output) -> str | int | bool | None:
        """One value of an output; a fault and nothing where it is none."""
        match output.kind:
            case "flag":
                if text in ("true", "false"):
                    return text == "true"
                self.fault(n, column, text, "true or false")
            case "number" | "numbers":
                if _WHOLE.fullmatch(text):
                    return int(text)
                self.fault(n, column, text, "a whole number without separators")
            case _:
                text = "" if text == '""' else text
                if output.values and text not in output.values:
                    self.fault(n, column, text, f"one of {', '.join(output.values)}")
                elif text and not is_code(text):
                    self.fault(n, column, text, "a code without quotes")
                else:
                    return text
        return None


def _is_empty(given: Given) -> bool:
    return given is None or (isinstance(given, str) and not given.strip())


def _bare(text: str) -> str:
    """A header without its unit: "→ max_minor [fen]" → "→ max_minor"."""
    return " ".join(re.sub(r"\[[^\]]*\]\s*$", "", text.replace("->", "→")).split())


def _unit_in(text: str) -> str:
    found = re.search(r"\[([^\]]*)\]\s*$", text)
    return found[1].strip() if found else ""


def _quoted(text: str) -> str:
    """Plain codes may stand without their quotes."""
    parts = [part.strip() for part in text.split(",")]
    if text.strip() != "-" and all(_PLAIN.fullmatch(part) for part in parts):
        return ", ".join(f'"{part}"' for part in parts)
    return text


def _as_text(given: Given, kind: str) -> tuple[str, str]:
    """A cell's value as text, or what is wanted instead of it. A spreadsheet's number is taken only where it is whole
    and exact, and only where a number belongs: a code that looks like one has lost its zeros already."""
    match given:
        case str():
            return given.strip(), ""
        case Special():
            return "", f"a value, no {given.what}"
        case bool():
            return ("true" if given else "false"), "" if kind == "flag" else f"a {kind}, not true or false"
        case int() | float() if kind == "number":
            whole = isinstance(given, int) or (given == given and abs(given) < _EXACT and given == int(given))
            return (str(int(given)), "") if whole else ("", "a whole number, in the column's unit")
        case int() | float():
            return "", "text: format the cell as text"
        case datetime() | date() | time() | timedelta():
            return "", "a value, no date or time: the spreadsheet has taken it for one"
    return "", "a value"


def _shown(found: object) -> str:
    text = found.shown or found.what if isinstance(found, Special) else "" if found is None else str(found)
    return text if len(text) <= 80 else text[:79] + "…"


def sheet_names(names: Iterable[str]) -> list[Misread]:
    """A fault for every sheet that is no table's, and one where there is none at all."""
    found: Sequence[str] = list(names)
    odd = [
        Misread(name[:80], 0, "", name[:80], f"one of {', '.join(SCHEMAS)}") for name in found if name not in SCHEMAS
    ]
    return odd if odd or found else [Misread("", 0, "", "", f"a sheet for a table: {', '.join(SCHEMAS)}")]


def taken(read_ones: Iterable[tuple[Table, list[Misread]]], faults: Iterable[Misread] = ()) -> Imported:
    """All tables, or all faults."""
    found = list(read_ones)
    wrong = [*faults, *(fault for _, its in found for fault in its)]
    return Imported((), tuple(wrong[:MOST_FAULTS])) if wrong else Imported(tuple(table for table, _ in found), ())


def refused(key: str, wanted: str, found: Any = "") -> Imported:
    """A file of which nothing could be read."""
    return Imported((), (Misread(key, 0, "", _shown(found), wanted),))
