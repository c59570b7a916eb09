"""What two policy documents differ in: rows added, removed, changed and moved, cell by cell, in every part. Pure.

Cells are compared in their normal form and outputs with their defaults filled in, so that a mere way of writing is no
difference; the place of a row is one only where it counts, in tables whose first match answers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import parse, write
from fenqi.policy.model import PolicyDocument
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Answer, Row, Table

Kind = Literal["added", "removed", "changed", "moved"]
PARTS = ("methods", "plans", "interest_free", "forbidden_words", "numbers")
"""The parts of a document that are no decision tables."""


class Cell(msgspec.Struct, frozen=True):
    """One cell that differs; None: there is nothing."""

    column: str
    before: Any = None
    after: Any = None


class Change(msgspec.Struct, frozen=True):
    """One row that differs: `part` is a table's key or one of `PARTS`; `row` names the rule."""

    part: str
    kind: Kind
    row: str
    cells: tuple[Cell, ...] = ()
    """What differs; of a row added or removed, all that it says."""
    from_place: int | None = None
    """Where a row that moved was, counted from 1."""
    to_place: int | None = None


class _Part(NamedTuple):
    """A part of a document as rows of plain values, and whether their order counts."""

    name: str
    rows: Mapping[str, Mapping[str, Any]]
    ordered: bool


def difference(old: PolicyDocument, new: PolicyDocument) -> tuple[Change, ...]:
    """Every change that makes `new` of `old`, part by part in the order of `new`'s rows; removed rows come last."""
    before = {part.name: part for part in _parts(old)}
    after = {part.name: part for part in _parts(new)}
    found: list[Change] = []
    for name in dict.fromkeys((*after, *before)):
        known = after.get(name) or before[name]
        empty = _Part(name, {}, known.ordered)
        found += _compared(before.get(name, empty), after.get(name, empty))
    return tuple(found)


def _compared(before: _Part, after: _Part) -> Iterator[Change]:
    moved = _moved(list(before.rows), list(after.rows)) if after.ordered else {}
    for row, cells in after.rows.items():
        if row not in before.rows:
            says = tuple(Cell(name, None, value) for name, value in cells.items() if not _is_nothing(value))
            yield Change(after.name, "added", row, says)
            continue
        differing = tuple(_cells(before.rows[row], cells))
        if differing:
            yield Change(after.name, "changed", row, differing)
        if row in moved:
            yield Change(after.name, "moved", row, (), *moved[row])
    for row, cells in before.rows.items():
        if row not in after.rows:
            said = tuple(Cell(name, value, None) for name, value in cells.items() if not _is_nothing(value))
            yield Change(after.name, "removed", row, said)


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or value == ()


def _cells(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Cell]:
    for name in dict.fromkeys((*after, *before)):
        if before.get(name) != after.get(name):
            yield Cell(name, before.get(name), after.get(name))


def _moved(before: Sequence[str], after: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The fewest rows to take out and put elsewhere so that those in both stand as they did, with both places."""
    kept = set(after)
    place = {row: n for n, row in enumerate(row for row in before if row in kept)}
    common = [row for row in after if row in place]
    still = _longest_rising([place[row] for row in common])
    was, now = ({row: n for n, row in enumerate(rows, start=1)} for rows in (before, after))
    return {row: (was[row], now[row]) for n, row in enumerate(common) if n not in still}


def _longest_rising(values: Sequence[int]) -> set[int]:
    """The places of a longest rising subsequence (patience sorting)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for n, value in enumerate(values):
        at = bisect_left(tails, value)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [value]
        ends[at : at + 1] = [n]
    found, n = set(), ends[-1] if ends else -1
    while n >= 0:
        found.add(n)
        n = before[n]
    return found


def _parts(document: PolicyDocument) -> Iterator[_Part]:
    for table in document.tables:
        schema = SCHEMAS.get(table.key)
        ordered = schema is None or schema.hit == "first"
        yield _Part(table.key, _rows((row.rule_id, _cells_of(table, row)) for row in table.rows), ordered)
    yield _Part("methods", _rows((row.method, _plain(row, "method")) for row in document.methods), True)
    plans = ((f"{row.method}/{row.plan}", _plain(row, "method", "plan")) for row in document.plans)
    yield _Part("plans", _rows(plans), True)
    yield _Part(
        "interest_free", _rows((row.campaign, _plain(row, "campaign")) for row in document.interest_free), False
    )
    yield _Part("forbidden_words", {word: {} for word in document.forbidden_words}, False)
    yield _Part("numbers", {"numbers": _plain(document.numbers)}, False)


def _rows(named: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """By name; in a draft one may be there twice, then the others are told by their turn."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, cells in named:
        turn, own = 1, name
        while own in found:
            turn, own = turn + 1, f"{name}#{turn + 1}"
        found[own] = cells
    return found


def _cells_of(table: Table, row: Row) -> dict[str, Any]:
    schema = SCHEMAS.get(table.key)
    if schema is None:
        return {**row.when, **{f"={name}": value for name, value in row.then.items()}, "note": row.note}
    kinds = {field.name: field.kind for field in schema.inputs}
    tests = {name: _normal(text, kinds.get(name)) for name, text in row.when.items()}
    said: dict[str, Answer] = {
        f"={output.name}": row.then.get(output.name, output.default) for output in schema.outputs
    }
    odd = {f"={name}": value for name, value in row.then.items() if f"={name}" not in said}
    return {**{name: text for name, text in tests.items() if text}, **said, **odd, "note": row.note}


def _normal(text: str, kind: Any) -> str:
    """A cell in its normal form; one that can't be read, as it stands."""
    if kind is None:
        return text
    try:
        return write(parse(text, kind), kind)
    except Refusal:
        return text


def _plain(row: msgspec.Struct, *without: str) -> dict[str, Any]:
    names = [name for name in row.__struct_fields__ if name not in without]
    return {name: _value(getattr(row, name)) for name in names}


def _value(value: Any) -> Any:
    """A value that JSON can carry: what is a row itself becomes a mapping."""
    return msgspec.to_builtins(value, builtin_types=(tuple,)) if not isinstance(value, (tuple, list)) else tuple(
        _value(each) for each in value
    )  # fmt: skip
