"""The port to the rules engine: a version's tables compiled once and asked one case at a time.

An answer is remembered by what the tables can tell apart, so that a case like one before costs no evaluation.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping

from zen import ZenEngine

from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import Between, OneOf, Test, Value
from fenqi.policy.jdm import lean_graph
from fenqi.policy.rule import Rule, answered, rules, schema_of, tested
from fenqi.policy.table import Answered, Field, Schema, Table

_REMEMBERED = 20_000
_DIGITS_LIMIT = 10**18

Sorted = Callable[[Value], Hashable]
"""Maps an input to its class: values of one class pass the same tests of the table."""


class Engine:
    """The tables of one version. Refuses what `rule.rules` refuses, and TABLE_REPEATED."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._asked: dict[str, _Asked] = {}
        for table in tables:
            if table.key in self._asked:
                raise Refusal("TABLE_REPEATED", f"table {table.key!r} is there twice")
            self._asked[table.key] = _Asked(table)
        content = {key: asked.graph for key, asked in self._asked.items() if asked.tested}
        self._zen = ZenEngine({"loader": {"type": "static", "content": content}})

    def table(self, key: str) -> Table | None:
        """The table of this key, if the version has one."""
        asked = self._asked.get(key)
        return None if asked is None else asked.table

    def tested(self, key: str) -> frozenset[str]:
        """The inputs that some row of the table tests; of no table, none."""
        asked = self._asked.get(key)
        return frozenset() if asked is None else frozenset(asked.tested)

    def sort(self, key: str, name: str, value: Value) -> Hashable:
        """The class of an input's value: what the table can tell apart. An input that isn't tested has one class."""
        asked = self._asked.get(key)
        if asked is None or name not in asked.tested or value is None:
            return None
        return asked.sorted[asked.tested.index(name)](value)

    def ask(self, key: str, inputs: Mapping[str, Value]) -> Answered:
        """What the table says of this case; inputs that no row tests may be left out.

        An input that is tested and not known decides nothing: `missing` names it, and the table itself if there is
        none of this key. An input of another type than its schema's is a bug (TypeError).
        """
        asked = self._asked.get(key)
        if asked is None:
            return Answered((), (key,))
        values = [inputs.get(name) for name in asked.tested]
        if None in values:
            return Answered((), tuple(name for name, value in zip(asked.tested, values, strict=True) if value is None))
        like = tuple([sort(value) for sort, value in zip(asked.sorted, values, strict=True)])
        found = asked.known.get(like)
        if found is None:
            found = self._evaluate(asked, dict(zip(asked.tested, values, strict=True)))
            if len(asked.known) >= _REMEMBERED:
                asked.known.clear()
            asked.known[like] = found
        return found

    def _evaluate(self, asked: _Asked, inputs: dict[str, Value]) -> Answered:
        for name, value in inputs.items():
            _check(asked.schema, name, value)
        if not asked.tested:
            return answered(asked.schema, list(asked.rules))
        context = {name: list(value) if isinstance(value, tuple) else value for name, value in inputs.items()}
        said = self._zen.evaluate(asked.table.key, context)["result"]
        rows = said if isinstance(said, list) else [said] if said else []
        return answered(asked.schema, [asked.rules[int(row["row"])] for row in rows])


class _Asked:
    """A table ready to be asked."""

    __slots__ = ("graph", "known", "rules", "schema", "sorted", "table", "tested")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.schema: Schema = schema_of(table)
        self.rules: tuple[Rule, ...] = rules(table)
        self.tested = tested(self.schema, self.rules)
        self.sorted = tuple(_sorted(self.schema, name, self.rules) for name in self.tested)
        self.graph = lean_graph(table.key, self.schema, self.rules)
        self.known: dict[tuple[Hashable, ...], Answered] = {}


def _sorted(schema: Schema, name: str, found: tuple[Rule, ...]) -> Sorted:
    field = schema.input(name)
    assert field is not None, "rules are read by their schema"
    tests = [each.tests[name] for each in found if name in each.tests]
    if field.kind == "number":
        return _intervals(tests)
    if field.kind == "flag":
        return lambda value: value
    codes = frozenset(code for test in tests if isinstance(test, OneOf) for code in test.values)
    if field.kind == "codes":
        return lambda value: frozenset(value) & codes  # type: ignore[arg-type]
    return lambda value: value if value in codes else None


def _intervals(tests: list[Test]) -> Sorted:
    """The number's place among all bounds: between two of them every test says the same."""
    cuts: set[int] = set()
    for test in tests:
        match test:
            case Between(low, high):
                cuts |= {low - 1} if low is not None else set()
                cuts |= {high} if high is not None else set()
            case OneOf(values):
                cuts |= {int(value) + step for value in values for step in (-1, 0)}
    bounds = sorted(cuts)
    return lambda value: bisect_left(bounds, value)  # type: ignore[type-var]


def _check(schema: Schema, name: str, value: Value) -> None:
    field = schema.input(name)
    assert field is not None, "only inputs of the schema are tested"
    if not _is(field, value):
        raise TypeError(f"{schema.key}: {name} must be {field.kind}, not {value!r}")


def _is(field: Field, value: Value) -> bool:
    match field.kind:
        case "text":
            return isinstance(value, str)
        case "flag":
            return isinstance(value, bool)
        case "codes":
            return isinstance(value, tuple) and all(isinstance(code, str) for code in value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _DIGITS_LIMIT
