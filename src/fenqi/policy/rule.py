"""The rows of a table read once: what each tests, and what it answers with every default filled in. Pure.

Whatever a row says beyond its schema is refused here, so that neither engine ever sees a row that it would misread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import Anything, Kind, Test, Value, holds, is_code, parse, write
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Answer, Answered, Hit, Output, Row, Schema, Table

_SMALLEST, _LARGEST = -(10**18) + 1, 10**18 - 1


class Rule(NamedTuple):
    """A row: the tests that are no mere "whatever it is", by input; its answer; whether that says "nothing found"."""

    tests: dict[str, Test]
    hit: Hit
    is_silent: bool

    def matches(self, inputs: dict[str, Value]) -> bool:
        """Whether every tested input passes."""
        return all(holds(test, inputs.get(name)) for name, test in self.tests.items())


def schema_of(table: Table) -> Schema:
    """What this kind of table is asked; refuses TABLE_UNKNOWN."""
    if table.key not in SCHEMAS:
        raise Refusal("TABLE_UNKNOWN", f"no table {table.key!r}: there are {', '.join(SCHEMAS)}")
    return SCHEMAS[table.key]


def rules(table: Table) -> tuple[Rule, ...]:
    """The rows in their order; refuses TABLE_UNKNOWN, INPUT_UNKNOWN, OUTPUT_INVALID and CELL_INVALID."""
    schema = schema_of(table)
    return tuple(rule(row, schema) for row in table.rows)


def rule(row: Row, schema: Schema) -> Rule:
    """One row read."""
    tests = {name: test(row, name, schema) for name in row.when}
    tests = {name: each for name, each in tests.items() if not isinstance(each, Anything)}
    then = {output.name: output.default for output in schema.outputs}
    for name in row.then:
        then[name] = answer(row, name, schema)
    is_silent = bool(schema.silent) and all(then[name] == value for name, value in schema.silent.items())
    return Rule(tests, Hit(row.rule_id, then), is_silent)


def test(row: Row, name: str, schema: Schema) -> Test:
    """What the row's cell for this input tests."""
    field = schema.input(name)
    if field is None:
        raise Refusal("INPUT_UNKNOWN", f"{schema.key}/{row.rule_id}: no input {name!r}", row=row.rule_id, column=name)
    try:
        return parse(row.when[name], field.kind)
    except Refusal as refusal:
        says = f"{schema.key}/{row.rule_id}: {name}: {refusal.detail}"
        raise Refusal("CELL_INVALID", says, row=row.rule_id, column=name) from None


def answer(row: Row, name: str, schema: Schema) -> Answer:
    """What the row answers for this output, of the output's type and closed set."""
    output = next((each for each in schema.outputs if each.name == name), None)
    wrong = f"no output {name!r}" if output is None else _wrong(row.then[name], output)
    if wrong is not None:
        says = f"{schema.key}/{row.rule_id}: {name}: {wrong}"
        raise Refusal("OUTPUT_INVALID", says, row=row.rule_id, column=name)
    return row.then[name]


def _wrong(value: Answer, output: Output) -> str | None:
    """What is wrong with an output, if anything; nothing at all (None) stands only where the schema's own default is
    nothing."""
    if value is None:
        return None if output.default is None else "it must say something"
    parts = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) != output.kind.endswith("s") or not all(_is(part, output.kind) for part in parts):
        return f"{value!r} is no {output.kind}"
    unknown = [part for part in parts if output.values and part not in output.values]
    return f"unknown {unknown[0]!r}" if unknown else None


def _is(value: object, kind: str) -> bool:
    match kind:
        case "flag":
            return isinstance(value, bool)
        case "number" | "numbers":
            return isinstance(value, int) and not isinstance(value, bool) and _SMALLEST <= value <= _LARGEST
    return isinstance(value, str) and (value == "" or is_code(value))


def normal(table: Table) -> Table:
    """The same table with every cell in its one normal form, and cells that test nothing left out."""
    return _reworded(table, lambda found, kind, _: write(found, kind))


def tidy(table: Table) -> Table:
    """The same table in its author's words, but for sets of codes, which have one form; cells that test nothing are
    left out. What JDM carries."""
    return _reworded(table, lambda found, kind, text: write(found, kind) if kind == "codes" else text.strip())


def _reworded(table: Table, word: Callable[[Test, Kind, str], str]) -> Table:
    """Cells and outputs stand in the schema's order."""
    schema = schema_of(table)
    rows = []
    for row in table.rows:
        read = {field: test(row, field.name, schema) for field in schema.inputs if field.name in row.when}
        when = {
            field.name: word(found, field.kind, row.when[field.name])
            for field, found in read.items()
            if not isinstance(found, Anything)
        }
        then = {each.name: answer(row, each.name, schema) for each in schema.outputs if each.name in row.then}
        rows.append(Row(row.rule_id, when, then, row.note))
    return Table(table.key, tuple(rows))


def tested(schema: Schema, found: tuple[Rule, ...]) -> tuple[str, ...]:
    """The inputs that some row tests, in the schema's order."""
    return tuple(field.name for field in schema.inputs if any(field.name in each.tests for each in found))


def decide(table: Table, inputs: dict[str, Value]) -> Answered:
    """What a table says, row by row by `cell.holds`: the meaning that every engine is held to."""
    schema, found = schema_of(table), rules(table)
    missing = tuple(name for name in tested(schema, found) if inputs.get(name) is None)
    if missing:
        return Answered((), missing)
    return answered(schema, [each for each in found if each.matches(inputs)])


def answered(schema: Schema, matching: list[Rule]) -> Answered:
    """The answer from the rows that match, in their order. A `collect` table's silent row says "looked at, nothing
    found": it is no hit, but without it nothing was decided and that is a bug, never a yes."""
    if schema.hit == "first":
        return Answered(tuple(each.hit for each in matching[:1]))
    if not any(each.is_silent for each in matching):
        raise AssertionError(f"table {schema.key}: no row that matches everything has answered")
    return Answered(tuple(each.hit for each in matching if not each.is_silent))
